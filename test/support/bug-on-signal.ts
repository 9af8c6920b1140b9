// Loaded into a router's process by `--import`: a bug where no request can catch it, whenever SIGUSR2 comes. The error
// quotes what parsers quote.
const message = `unexpected token in "${process.env['BUG_TEXT'] ?? ''}"`;

process.on('SIGUSR2', () => {
  if (process.env['BUG'] === 'rejection') void Promise.reject(new Error(message));
  else
    setTimeout(() => {
      throw new TypeError(message);
    });
});
