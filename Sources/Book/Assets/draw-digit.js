// From strokes to an image as MNIST has its digits: 28 × 28 bytes, 0 for paper.
"use strict";
window.labDigit = (() => {
  const side = 28;
  const box = 20;
  // What the pen is wide in such an image, as the strokes of MNIST are on average.
  const pen = 2.6;
  // Pixels of the drawing for one of the image.
  const fine = 10;

  // The strokes on a canvas of their own, as wide against the digit as MNIST's pens were, however
  // large it was drawn. A stroke is a list of points [x, y].
  function rendered(strokes) {
    const points = strokes.flat();
    if (points.length === 0) return null;
    const xs = points.map((point) => point[0]);
    const ys = points.map((point) => point[1]);
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    const [w, h] = [Math.max(...xs) - left, Math.max(...ys) - top];
    const longest = Math.max(w, h);
    const scale = longest > 0 ? (box - pen) * fine / longest : 0;
    const margin = pen * fine / 2 + 1;
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(w * scale + 2 * margin);
    canvas.height = Math.ceil(h * scale + 2 * margin);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.lineWidth = pen * fine;
    for (const stroke of strokes) {
      trace(context, stroke.map(([x, y]) =>
        [(x - left) * scale + margin, (y - top) * scale + margin]));
    }
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    return { width, height, ink: Float32Array.from({ length: width * height }, (_, i) => data[4 * i + 3] / 255) };
  }

  // A smooth line through the middles between successive points.
  function trace(context, points) {
    context.lineCap = "round";
    context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...points[0]);
    for (let place = 1; place + 1 < points.length; place += 1) {
      const [[x, y], [u, v]] = [points[place], points[place + 1]];
      context.quadraticCurveTo(x, y, (x + u) / 2, (y + v) / 2);
    }
    // A dot is a line to where it is.
    context.lineTo(...points.at(-1));
    context.stroke();
  }

  // The digit as MNIST has its digits; null where there is no ink. The rectangle around all ink is
  // scaled so that its longest side is 20 pixels, each the mean of what it covers, and shifted by
  // whole pixels so that its centre of mass lies in the middle of the fifteenth pixel.
  // `InkImage.normalised` in Sources/Handwriting does the same, step by step.
  function normalised({ width, height, ink }) {
    let [left, top, right, bottom] = [width, height, 0, 0];
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        if (!(ink[y * width + x] > 0)) continue;
        left = Math.min(left, x);
        right = Math.max(right, x + 1);
        top = Math.min(top, y);
        bottom = y + 1;
      }
    }
    if (bottom === 0) return null;
    const step = Math.max(right - left, bottom - top) / box;
    const columns = covers(right - left, step);
    const rows = covers(bottom - top, step);
    const scaled = new Float64Array(rows.length * columns.length);
    rows.forEach((cover, row) => {
      for (let y = cover.first; y < cover.end; y += 1) {
        const weight = overlap(cover, y);
        const start = (top + y) * width + left;
        columns.forEach((cover, column) => {
          let sum = 0;
          for (let x = cover.first; x < cover.end; x += 1) sum += overlap(cover, x) * ink[start + x];
          scaled[row * columns.length + column] += weight * sum;
        });
      }
    });
    const area = step * step;
    for (let place = 0; place < scaled.length; place += 1) scaled[place] /= area;
    const darkest = Math.max(...scaled);
    if (!(darkest > 0)) return null;
    // A line that is too thin to leave a dark pixel is darkened.
    const gain = Math.max(1, 0.95 / darkest);
    return centred(scaled.map((value) => Math.min(1, gain * value)), columns.length, rows.length);
  }

  // The pixels of the image that `count` pixels of the drawing make, and what each of them covers.
  function covers(count, step) {
    const pixels = Math.min(box, Math.max(1, Math.ceil(count / step - 1e-3)));
    return Array.from({ length: pixels }, (_, place) => {
      const from = place * step;
      const to = Math.min(count, from + step);
      const first = Math.min(count - 1, Math.floor(from));
      return { from, to, first, end: Math.max(first + 1, Math.ceil(to)) };
    });
  }

  function overlap({ from, to }, pixel) {
    return Math.min(to, pixel + 1) - Math.max(from, pixel);
  }

  function centred(scaled, columns, rows) {
    let [mass, momentX, momentY] = [0, 0, 0];
    scaled.forEach((value, place) => {
      mass += value;
      momentX += value * (place % columns + 0.5);
      momentY += value * (Math.floor(place / columns) + 0.5);
    });
    const middle = side / 2 + 0.5;
    const place = (moment, count) =>
      Math.min(Math.max(0, Math.floor(middle - moment / mass + 0.5)), side - count);
    const [left, top] = [place(momentX, columns), place(momentY, rows)];
    const pixels = new Uint8Array(side * side);
    scaled.forEach((value, index) => {
      const [row, column] = [Math.floor(index / columns), index % columns];
      pixels[(top + row) * side + left + column] = Math.floor(255 * value + 0.5);
    });
    return pixels;
  }

  return { normalised, rendered, trace };
})();
