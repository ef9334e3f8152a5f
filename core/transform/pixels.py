"""What an augmentation does to the grey values of one picture: uint8 (S, S) in, uint8 (S, S) out.

Definitions follow torchvision's functional v2 where it has the operation, so that "copy as code" gives the same.
"""

import numpy as np

SHARPEN_KERNEL = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13  # PIL's and torchvision's smoothing
MARKER_TEXTS = ("L", "R", "PORTABLE")


def _table(picture: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """`curve` float (256,): the new grey value of each old one."""
    import cv2

    return cv2.LUT(picture, np.clip(np.round(curve), 0, 255).astype(np.uint8))


def brightness(picture: np.ndarray, factor: float) -> np.ndarray:
    """Every grey value times `factor`."""
    return _table(picture, np.arange(256) * factor)


def contrast(picture: np.ndarray, factor: float) -> np.ndarray:
    """Distance of every grey value from the picture's mean times `factor`."""
    mean = np.floor(picture.mean())
    return _table(picture, mean + (np.arange(256) - mean) * factor)


def gamma(picture: np.ndarray, gamma: float) -> np.ndarray:
    """Grey values, white = 1, to the power `gamma`: below 1 lightens the lungs, above 1 darkens them."""
    return _table(picture, 255 * (np.arange(256) / 255) ** gamma)


def invert(picture: np.ndarray) -> np.ndarray:
    """Black for white."""
    return 255 - picture


def noise(picture: np.ndarray, sigma: float, seed: float) -> np.ndarray:
    """Gaussian noise of `sigma` grey levels."""
    grain = np.random.default_rng(round(seed)).standard_normal(picture.shape, np.float32)
    noisy: np.ndarray = np.clip(np.round(picture + sigma * grain), 0, 255).astype(np.uint8)
    return noisy


def blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of `sigma` picture pixels."""
    import cv2

    return cv2.GaussianBlur(picture, (0, 0), sigma)


def sharpen(picture: np.ndarray, factor: float) -> np.ndarray:
    """1 leaves the picture, 2 doubles its finest detail, 0 smooths it."""
    import cv2

    smooth = cv2.filter2D(picture, -1, SHARPEN_KERNEL, borderType=cv2.BORDER_REPLICATE)
    return cv2.addWeighted(picture, factor, smooth, 1 - factor, 0)


def equalise(picture: np.ndarray) -> np.ndarray:
    """Histogram made flat."""
    import cv2

    return cv2.equalizeHist(picture)


def clahe(picture: np.ndarray, clip: float, tiles: float) -> np.ndarray:
    """Histogram equalised in each of tiles x tiles fields, contrast gain limited by `clip`."""
    import cv2

    return cv2.createCLAHE(clip, (round(tiles), round(tiles))).apply(picture)


def erase(picture: np.ndarray, x: float, y: float, side: float, grey: float) -> np.ndarray:
    """A square of `side` percent round (x, y) percent filled with one grey value."""
    size = picture.shape[0]
    half = max(1, round(size * side / 200))
    row, column = round(size * y / 100), round(size * x / 100)
    erased = picture.copy()
    erased[max(row - half, 0) : row + half, max(column - half, 0) : column + half] = round(grey)
    return erased


def marker(picture: np.ndarray, text: str, x: float, y: float, height: float, grey: float) -> np.ndarray:
    """A side marker as lead letters leave it: `text` of `height` percent centred at (x, y) percent."""
    import cv2

    size = picture.shape[0]
    font, thickness = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(size * height / 800))
    scale = size * height / 100 / cv2.getTextSize("L", font, 1, 1)[0][1]
    (width, tall), _ = cv2.getTextSize(text, font, scale, thickness)
    left = int(np.clip(size * x / 100 - width / 2, 0, max(size - width, 0)))
    base = int(np.clip(size * y / 100 + tall / 2, tall, size - 1))
    written: np.ndarray = cv2.putText(
        picture.copy(), text, (left, base), font, scale, int(grey), thickness, cv2.LINE_AA
    )
    return written


def jpeg(picture: np.ndarray, quality: float) -> np.ndarray:
    """Saved as JPEG and read back."""
    import cv2

    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE))


def low_resolution(picture: np.ndarray, factor: float) -> np.ndarray:
    """Shrunk `factor` times and enlarged again."""
    import cv2

    size = picture.shape[0]
    side = max(1, round(size / factor))
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)


def elastic(picture: np.ndarray, amplitude: float, smoothness: float, seed: float) -> np.ndarray:
    """Every point moved by about `amplitude` percent of the side, alike within `smoothness` percent."""
    import cv2

    size = picture.shape[0]
    # The field is smooth, so it is drawn on a coarse grid and enlarged: 20 times faster than blurring at full size.
    knots = max(2, round(100 / smoothness))
    coarse = np.random.default_rng(round(seed)).standard_normal((knots, knots, 2), np.float32) * (
        amplitude * size / 100
    )
    field = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    columns, rows = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    return cv2.remap(
        picture, columns + field[..., 0], rows + field[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
