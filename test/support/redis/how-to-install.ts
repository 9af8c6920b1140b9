// The one failure of all tests that need Redis where it cannot be had.
export const howToInstall =
  'These tests need Redis 6 or newer, and start their own: put a redis-server on the PATH (Debian, Ubuntu: apt-get install' +
  ' redis-server, which the tests do themselves as root; macOS: brew install redis), then run them again.';
