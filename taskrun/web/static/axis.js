// The time axis of the bars. Long stretches in which nothing ran (a run that was resumed the next day) are drawn short.

const GAP = 0.04; // of the busy time: a longer pause is cut down to this

export class Axis {
  constructor() {
    this.pieces = [];
    this.length = 1;
  }

  // `spans` are [from, to] in any order; `now` ends those that still go on.
  set(spans, now) {
    const sorted = spans.map(([from, to]) => [from, Math.max(from, to === null ? now : to)]).sort((a, b) => a[0] - b[0]);
    const busy = [];
    for (const [from, to] of sorted) {
      const last = busy[busy.length - 1];
      if (last && from <= last[1]) last[1] = Math.max(last[1], to);
      else busy.push([from, to]);
    }
    const total = busy.reduce((sum, [from, to]) => sum + to - from, 0);
    const most = Math.max(total * GAP, 0.05);
    let at = 0;
    this.pieces = busy.map(([from, to], i) => {
      if (i) at += Math.min(most, from - busy[i - 1][1]);
      const piece = { from, to, at };
      at += to - from;
      return piece;
    });
    this.length = Math.max(at, 1e-6);
  }

  // Where a moment is, from 0 to 1.
  place(moment) {
    let low = 0;
    let high = this.pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.pieces[middle].from <= moment) low = middle;
      else high = middle - 1;
    }
    const piece = this.pieces[low];
    if (!piece) return 0;
    const inside = Math.min(Math.max(moment, piece.from), piece.to) - piece.from;
    return (piece.at + inside) / this.length;
  }
}
