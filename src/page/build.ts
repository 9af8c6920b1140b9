// Builds the page into static files: `node src/page/build.ts [FOLDER]`. They are committed, so that nobody who runs the router
// builds anything; test/unit/page/build.test.ts compares them. Names carry no hashes, and the same sources give the same bytes.
import { join, resolve } from 'node:path';
import { build } from 'vite';

// Whoever builds may have another in the environment, and would get other bytes.
process.env['NODE_ENV'] = 'production';
const here = import.meta.dirname;
const folder = resolve(process.argv[2] ?? join(here, 'static'));

await build({
  configFile: false,
  envDir: false,
  mode: 'production',
  root: here,
  // Relative, so that a proxy may put the page below a path of its own.
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: folder,
    emptyOutDir: true,
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        entryFileNames: 'page.js',
        assetFileNames: ({ names: [name = ''] }) => (name.endsWith('.css') ? 'page.css' : '[name][extname]'),
      },
    },
  },
});
