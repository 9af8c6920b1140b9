// Loaded into a router before anything else: trouble of its own making whenever SIGUSR2 comes.
process.on('SIGUSR2', () => {
  if (process.env['TROUBLE'] === 'blocked') {
    const untilMs = performance.now() + 2_000;
    while (performance.now() < untilMs);
    return;
  }
  setTimeout(() => {
    throw new TypeError('a bug on purpose');
  });
});
