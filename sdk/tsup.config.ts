import { defineConfig } from 'tsup'

// `splitting` keeps one copy of the error classes for both entries, so that `instanceof` holds across them.
export default defineConfig({
  entry: { index: 'src/index.ts', realtime: 'src/realtime/index.ts' },
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  splitting: true,
  clean: true,
  dts: true,
  sourcemap: false,
})
