if (!window.hilumMended) {
  window.hilumMended = true;
  // A page opened from the menu has an empty address at first, at which Back must not stop.
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const bare = !location.search && new URL(url, location.href).pathname === location.pathname;
    return bare ? history.replaceState(state, title, url) : push(state, title, url);
  };
  // Streamlit's menu is a list of divs, which no screen reader can count; its uploader has a name and no role.
  const roles = () => {
    const menu = document.querySelector('[data-testid="stSidebarNavItems"]');
    menu?.setAttribute("role", "presentation");
    for (const section of menu?.children ?? []) section.setAttribute("role", "list");
    for (const zone of document.querySelectorAll('[data-testid="stFileUploaderDropzone"]')) zone.setAttribute("role", "group");
  };
  let soon;
  new MutationObserver(() => {
    clearTimeout(soon);
    soon = setTimeout(roles, 150);
  }).observe(document.body, { childList: true, subtree: true });
  roles();
}
