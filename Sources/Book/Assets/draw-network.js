// The final model in the page: its file of weights, and what it says of an image. What each byte is,
// and what is computed with it, stands in Sources/Handwriting/ExportedModel.swift.
"use strict";
window.labNetwork = (() => {
  const side = 28;

  function bytes(base64) {
    const text = atob(base64);
    const result = new Uint8Array(text.length);
    for (let place = 0; place < text.length; place += 1) result[place] = text.charCodeAt(place);
    return result;
  }

  // A number of 16 bits: a sign, five bits of exponent, ten of fraction.
  function half(bits) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = bits >> 10 & 31;
    const fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  // The description and the tensors of a file.
  function parsed(data) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const text = (from, count) => new TextDecoder().decode(data.subarray(from, from + count));
    if (text(0, 8) !== "LABMODEL" || view.getUint32(8, true) !== 1) {
      throw new Error("The weights are of no version that this page reads.");
    }
    const headerEnd = 16 + view.getUint32(12, true);
    const header = JSON.parse(text(16, headerEnd - 16));
    const description = JSON.parse(header.state);
    const tensors = new Map();
    let place = headerEnd;
    for (const { name, shape } of header.tensors) {
      const words = shape.reduce((product, extent) => product * extent, 1);
      const isHalf = description.bits === 16 && /(convolutions\.\d+|hidden|output)\.weight$/.test(name);
      const values = new Float64Array(isHalf ? 2 * words : words);
      for (let index = 0; index < values.length; index += 1) {
        values[index] = isHalf
          ? half(view.getUint16(place + 2 * index, true))
          : view.getFloat32(place + 4 * index, true);
      }
      tensors.set(name, values);
      place += 4 * words;
    }
    return { description, tensors };
  }

  // An image moved by a view: the pixel q from the centre is read at M⁻¹·(q − t), between four pixels.
  function moved(image, [a, b, c, d, tx, ty]) {
    if (a === 1 && b === 0 && c === 0 && d === 1 && tx === 0 && ty === 0) return image;
    const determinant = a * d - b * c;
    const middle = (side - 1) / 2;
    const at = (x, y) => (x < 0 || y < 0 || x >= side || y >= side ? 0 : image[y * side + x]);
    const result = new Float64Array(side * side);
    for (let row = 0; row < side; row += 1) {
      for (let column = 0; column < side; column += 1) {
        const [u, v] = [column - middle - tx, row - middle - ty];
        const x = (d * u - b * v) / determinant + middle;
        const y = (a * v - c * u) / determinant + middle;
        const [left, top] = [Math.floor(x), Math.floor(y)];
        const [right, below] = [x - left, y - top];
        const upper = at(left, top) * (1 - right) + at(left + 1, top) * right;
        const lower = at(left, top + 1) * (1 - right) + at(left + 1, top + 1) * right;
        result[row * side + column] = upper * (1 - below) + lower * below;
      }
    }
    return result;
  }

  // Images in a frame of zeros.
  function framed({ channels, side, values }, padding) {
    if (padding === 0) return { channels, side, values };
    const wide = side + 2 * padding;
    const result = new Float64Array(channels * wide * wide);
    for (let line = 0; line < channels * side; line += 1) {
      const [channel, row] = [Math.floor(line / side), line % side];
      result.set(values.subarray(line * side, (line + 1) * side),
        (channel * wide + row + padding) * wide + padding);
    }
    return { channels, side: wide, values: result };
  }

  // What each place of a filter covers, one row a place: a convolution is then a product.
  function patches({ channels, side: wide, values }, kernel) {
    const side = wide - kernel + 1;
    const size = channels * kernel * kernel;
    const result = new Float64Array(side * side * size);
    let place = 0;
    for (let y = 0; y < side; y += 1) {
      for (let x = 0; x < side; x += 1) {
        for (let channel = 0; channel < channels; channel += 1) {
          for (let dy = 0; dy < kernel; dy += 1) {
            const from = (channel * wide + y + dy) * wide + x;
            for (let dx = 0; dx < kernel; dx += 1) {
              result[place] = values[from + dx];
              place += 1;
            }
          }
        }
      }
    }
    return { side, size, rows: result };
  }

  function convolved(images, { filters, kernel, padding }, weight, bias) {
    const { side, size, rows } = patches(framed(images, padding), kernel);
    const pixels = side * side;
    const result = new Float64Array(filters * pixels);
    // Four filters at a time, so that a processor need not wait for one sum.
    for (let filter = 0; filter < filters; filter += 4) {
      const starts = [0, 1, 2, 3].map((next) => Math.min(filter + next, filters - 1));
      const [a, b, c, d] = starts.map((start) => weight.subarray(start * size, (start + 1) * size));
      for (let pixel = 0; pixel < pixels; pixel += 1) {
        let [p, q, r, s] = [0, 0, 0, 0];
        const from = pixel * size;
        for (let index = 0; index < size; index += 1) {
          const value = rows[from + index];
          p += a[index] * value;
          q += b[index] * value;
          r += c[index] * value;
          s += d[index] * value;
        }
        result[starts[0] * pixels + pixel] = p + bias[starts[0]];
        result[starts[1] * pixels + pixel] = q + bias[starts[1]];
        result[starts[2] * pixels + pixel] = r + bias[starts[2]];
        result[starts[3] * pixels + pixel] = s + bias[starts[3]];
      }
    }
    return { channels: filters, side, values: result };
  }

  // The largest of each 2 × 2 pixels; an odd row or column at the end is left out.
  function pooled({ channels, side, values }) {
    const small = Math.floor(side / 2);
    const result = new Float64Array(channels * small * small);
    for (let place = 0; place < result.length; place += 1) {
      const channel = Math.floor(place / (small * small));
      const [y, x] = [Math.floor(place / small) % small, place % small];
      const from = (channel * side + 2 * y) * side + 2 * x;
      result[place] = Math.max(
        values[from], values[from + 1], values[from + side], values[from + side + 1]);
    }
    return { channels, side: small, values: result };
  }

  // Scale, shift and bend, each feature of `size` numbers by its own.
  function bent(values, size, scale, shift, slope) {
    for (let place = 0; place < values.length; place += 1) {
      const feature = Math.floor(place / size);
      const value = scale[feature] * values[place] + shift[feature];
      values[place] = value < 0 ? slope * value : value;
    }
    return values;
  }

  function product(weight, bias, values) {
    return Float64Array.from(bias, (start, row) => {
      let sum = start;
      const from = row * values.length;
      for (let column = 0; column < values.length; column += 1) {
        sum += weight[from + column] * values[column];
      }
      return sum;
    });
  }

  function softmax(logits) {
    const largest = Math.max(...logits);
    const powers = logits.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((value) => value / sum);
  }

  // What one network says of an image of 784 values 0…1, and what its first filters answer.
  function said(model, index, image) {
    const { description, tensors } = model;
    const { layers } = description.networks[index];
    const tensor = (name) => tensors.get(`networks.${index}.${name}`);
    let images = {
      channels: 1, side,
      values: Float64Array.from(image, (v) => (v - description.mean) / description.deviation),
    };
    let first;
    layers.forEach((layer, place) => {
      const name = `convolutions.${place}`;
      images = convolved(images, layer, tensor(name + ".weight"), tensor(name + ".bias"));
      first ??= {
        channels: images.channels, side: images.side, padding: layer.padding,
        values: images.values.slice(),
      };
      if (layer.pools) images = pooled(images);
      bent(images.values, images.side ** 2, tensor(`normalisations.${place}.scale`),
        tensor(`normalisations.${place}.shift`), description.slope);
    });
    const hidden = bent(
      product(tensor("hidden.weight"), tensor("hidden.bias"), images.values), 1,
      tensor(`normalisations.${layers.length}.scale`),
      tensor(`normalisations.${layers.length}.shift`), description.slope);
    const logits = product(tensor("output.weight"), tensor("output.bias"), hidden);
    return { probabilities: softmax(logits), first };
  }

  // A model from its file in base64.
  function model(base64) {
    const model = parsed(bytes(base64));
    const { networks, views } = model.description;
    return {
      description: model.description,
      // The ten probabilities of an image of 28 × 28 bytes, and each network's first channels.
      read(pixels) {
        const image = Float64Array.from(pixels, (pixel) => pixel / 255);
        const probabilities = new Float64Array(10);
        const first = [];
        for (const view of views) {
          const seen = moved(image, view);
          networks.forEach((_, index) => {
            const answer = said(model, index, seen);
            first[index] ??= answer.first;
            answer.probabilities.forEach((p, digit) => {
              probabilities[digit] += p / (views.length * networks.length);
            });
          });
        }
        return { probabilities, first };
      },
    };
  }

  return { bytes, model };
})();
