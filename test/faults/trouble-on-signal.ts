// Loaded into a router before anything else: trouble of its own making whenever SIGUSR2 comes.
import { getHeapStatistics } from 'node:v8';

process.on('SIGUSR2', () => {
  if (process.env['TROUBLE'] === 'blocked') {
    const untilMs = performance.now() + 2_000;
    while (performance.now() < untilMs);
    return;
  }
  if (process.env['TROUBLE'] === 'heap') {
    const kept: object[] = [];
    const full = () =>
      getHeapStatistics().used_heap_size > Number(process.env['HEAP']) * getHeapStatistics().heap_size_limit;
    while (!full()) for (let n = 0; n < 1_000; n++) kept.push({ n, text: [n, n, n, n, n, n, n, n] });
    setTimeout(() => {
      kept.length = 0;
    }, 3_000);
    return;
  }
  setTimeout(() => {
    throw new TypeError('a bug on purpose');
  });
});
