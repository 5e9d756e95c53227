import { spawn } from 'node:child_process'

/** Neither asks questions nor the network. */
const environment = { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0', REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }

export interface Outcome {
  exitCode: number
  output: string
}

export function run(name: string, args: readonly string[], cwd = process.cwd()): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output: Buffer.concat(chunks).toString() }))
  })
}

/** A check that is a command: what it prints when it fails. */
export const command =
  (name: string, ...args: string[]) =>
  async (): Promise<string | undefined> => {
    const { exitCode, output } = await run(name, args)
    return exitCode === 0 ? undefined : output || `${name} ended with ${exitCode}`
  }
