/**
 * An application that is stopped and started again misses nothing: it keeps its tokens and cursors, and what happened meanwhile is
 * emitted first. Run it twice, and write to the user in between:
 * `node examples/resume.ts state.json http://localhost:3000 alice@example.com`
 */
import { readFile, writeFile } from 'node:fs/promises'
import { Parley, type Tokens } from '@parley/sdk'
import { connect } from '@parley/sdk/realtime'

interface State {
  tokens: Tokens | null
  cursors?: Record<string, number>
}

const [path = 'state.json', baseUrl = 'http://localhost:3000', email = 'alice@example.com'] = process.argv.slice(2)
const state: State = await readFile(path, 'utf8').then(JSON.parse, () => ({ tokens: null }))
let saving = Promise.resolve()
const save = (change: Partial<State>): void => {
  Object.assign(state, change)
  const text = JSON.stringify(state)
  saving = saving.then(() => writeFile(path, text))
}

const api = new Parley({ baseUrl, ...state.tokens, onTokens: (tokens) => save({ tokens }) })
if (!api.tokens) await signIn()

const realtime = connect(api, { ...(state.cursors && { cursors: state.cursors }), onCursors: (cursors) => save({ cursors }) })
realtime.on('message.created', ({ data }) => console.log(`${data.message.seq}. ${data.message.content}`))
realtime.on('state', (event) => console.log(`(${event.state})`))
realtime.on('signedOut', () => save({ tokens: null }))
process.once('SIGINT', () => realtime.close())

/** In development the code 000000 always works. */
async function signIn(): Promise<void> {
  await api.auth.register({ email }).catch((error: unknown) => console.log(String(error)))
  await api.auth.verifyEmail({ email, code: '000000' })
}
