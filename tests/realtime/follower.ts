/**
 * A client as the protocol's description has it, over bare frames and in the fewest words: a cursor per conversation, three cases
 * for every change, a resume where something is missing. It keeps what it applied, and complains of what it should not have seen.
 */
import { type Change, type Conversation, type Message, NotFoundError, type Parley } from '@parley/sdk'
import WebSocket from 'ws'

export interface Folded {
  title: string | null
  /** By `seq`: what it says, and who has reacted how. */
  messages: Map<number, FoldedMessage>
  members: Map<string, { role: string; readSeq: number }>
}

type FoldedMessage = Pick<Message, 'id' | 'content' | 'reactions' | 'replyTo' | 'editedAt' | 'deletedAt'>

export type Follower = ReturnType<typeof createFollower>

interface Person {
  api: Parley
  accessToken: string
  id: string
}

interface Frame {
  type: string
  // biome-ignore lint/suspicious/noExplicitAny: the contract guard of the server has validated it
  data: any
  error?: { code: string }
}

export function createFollower(url: string, person: Person) {
  const conversations = new Map<string, { cursor: number; state: Folded; applied: number[] }>()
  const known = new Map<string, number>()
  const complaints: string[] = []
  const looks = new Set<() => void>()
  const loading = new Set<string>()
  let socket: WebSocket | undefined
  let resuming: Set<string> | undefined

  /** From the start, as REST has it: one read of the conversation is of one moment. */
  const load = async (id: string): Promise<void> => {
    const heard = known.get(id) ?? 0
    try {
      const { conversation } = await person.api.conversations.get(id)
      const state = foldedOf(conversation)
      for await (const message of person.api.messages.list(id, { limit: 100 })) if (message.seq <= conversation.lastSeq) addMessage(state, message)
      conversations.set(id, { cursor: conversation.changeSeq, state, applied: [] })
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error
      // Not ours any more, unless something was heard of it meanwhile.
      if ((known.get(id) ?? 0) > heard) return load(id)
      known.delete(id)
    }
    loading.delete(id)
    catchUp()
  }

  const expect = (id: string, changeSeq: number): void => {
    known.set(id, Math.max(changeSeq, known.get(id) ?? 0))
    if (!conversations.has(id) && !loading.has(id)) {
      loading.add(id)
      load(id).catch((error: unknown) => complaints.push(String(error)))
    }
    catchUp()
  }

  const isBehind = (id: string): boolean => (known.get(id) ?? 0) > (conversations.get(id)?.cursor ?? Number.POSITIVE_INFINITY)

  const catchUp = (): void => {
    const behind = [...known.keys()].filter(isBehind)
    for (const look of looks) look()
    if (resuming !== undefined || behind.length === 0 || socket?.readyState !== WebSocket.OPEN) return
    resuming = new Set(behind)
    socket.send(JSON.stringify({ type: 'resume', data: { cursors: Object.fromEntries(behind.map((id) => [id, conversations.get(id)?.cursor ?? 0])) } }))
  }

  const leave = (id: string): void => {
    conversations.delete(id)
    known.delete(id)
  }

  const onChange = (change: Change): void => {
    const { conversationId: id, changeSeq, previousChangeSeq = changeSeq - 1 } = change
    const held = conversations.get(id)
    if (held === undefined) return expect(id, changeSeq)
    if (changeSeq <= held.cursor) return
    if (previousChangeSeq > held.cursor) {
      if (!resuming?.has(id) && !isBehind(id)) complaints.push(`${id}: ${changeSeq} follows ${previousChangeSeq}, and the cursor is ${held.cursor}`)
      return expect(id, changeSeq)
    }
    held.cursor = changeSeq
    held.applied.push(changeSeq)
    applyChange(held.state, change)
    if (change.type === 'member.left' && change.data.userId === person.id) leave(id)
    for (const look of looks) look()
  }

  const onFrame = (frame: Frame): void => {
    if (frame.type === 'hello') {
      for (const id of conversations.keys()) if (!(id in frame.data.positions)) leave(id)
      for (const [id, position] of Object.entries<number>(frame.data.positions)) expect(id, position)
    } else if (frame.type === 'error' && frame.error?.code === 'unavailable')
      // The server sends it away to resume later.
      resuming = undefined
    else if (frame.type === 'gone') leave(frame.data.conversationId)
    else if (frame.type === 'ready') {
      for (const [id, cursor] of Object.entries<number>(frame.data.cursors)) {
        const held = conversations.get(id)
        if (held !== undefined && held.cursor < cursor) complaints.push(`${id}: ready at ${cursor}, and the cursor is ${held.cursor}`)
      }
      resuming = undefined
      catchUp()
    } else if ('changeSeq' in frame) onChange(frame as unknown as Change)
    else if (frame.type === 'error' || frame.type === 'gap') complaints.push(JSON.stringify(frame))
  }

  const connect = async (): Promise<void> => {
    const opened = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, ['parley.v1', `bearer.${person.accessToken}`])
    socket = opened
    await new Promise<void>((resolve, reject) => {
      opened.on('error', (error) => (socket === opened ? reject(error) : resolve()))
      opened.on('close', (code) => {
        resolve()
        if (socket !== opened || code !== 1001) return
        resuming = undefined
        // A server that has ended is not there any more.
        connect().catch(() => undefined)
      })
      opened.on('message', (data) => {
        const frame: Frame = JSON.parse(String(data))
        if (socket !== opened) return
        onFrame(frame)
        if (frame.type === 'hello') resolve()
      })
    })
  }

  return {
    conversations,
    complaints,

    /** Connects again when the server says that it should. @returns once the server said hello, or the connection was cut. */
    connect,

    /** As when the network breaks. */
    cut(): void {
      socket?.terminate()
      socket = undefined
      resuming = undefined
    },

    /** Resolves when everything up to these positions has been applied. */
    async reach(positions: Record<string, number>): Promise<void> {
      await new Promise<void>((resolve) => {
        const look = () => {
          const there = Object.entries(positions).every(([id, position]) => (conversations.get(id)?.cursor ?? -1) >= position)
          if (!there || loading.size > 0 || conversations.size > Object.keys(positions).length) return
          looks.delete(look)
          resolve()
        }
        looks.add(look)
        look()
      })
    },
  }
}

function foldedOf({ title, members }: Conversation): Folded {
  return { title, messages: new Map(), members: new Map(members.map(({ user, role, readSeq }) => [user.id, { role, readSeq }])) }
}

function addMessage({ messages }: Folded, { seq, id, content, reactions, replyTo, editedAt, deletedAt }: Message): void {
  if ((messages.get(seq)?.id ?? id) !== id) throw new Error(`Two messages have seq ${seq}`)
  messages.set(seq, { id, content, reactions, replyTo, editedAt, deletedAt })
}

/** Answers to a message that has changed show what it says now. */
function renewAnswers({ messages }: Folded, { id, content, deletedAt }: Message): void {
  const excerpt = deletedAt === null ? [...content].slice(0, 100).join('') : null
  for (const message of messages.values()) if (message.replyTo?.messageId === id) message.replyTo = { ...message.replyTo, excerpt }
}

export function applyChange(state: Folded, change: Change): void {
  const mark = (userId: string, seq: number) => {
    const member = state.members.get(userId)
    if (member !== undefined) member.readSeq = Math.max(member.readSeq, seq)
  }
  if (change.type === 'message.created') {
    addMessage(state, change.data.message)
    mark(change.data.message.senderId, change.data.message.seq)
  } else if (change.type === 'message.updated' || change.type === 'message.deleted') {
    addMessage(state, change.data.message)
    renewAnswers(state, change.data.message)
  } else if (change.type === 'conversation.updated') state.title = change.data.conversation.title
  else if (change.type === 'member.left') state.members.delete(change.data.userId)
  else if (change.type === 'read') mark(change.data.userId, change.data.readSeq)
  else if (change.type === 'member.joined' || change.type === 'member.updated') {
    const { user, role, readSeq } = change.data.member
    state.members.set(user.id, { role, readSeq: Math.max(readSeq, state.members.get(user.id)?.readSeq ?? 0) })
  }
}

/** The same as REST has it now, plain for comparison. */
export async function readState(api: Parley, id: string): Promise<unknown> {
  const { conversation } = await api.conversations.get(id)
  const state = foldedOf(conversation)
  for await (const message of api.messages.list(id, { limit: 100 })) addMessage(state, message)
  return plain(state)
}

export const plain = ({ title, messages, members }: Folded): unknown => ({
  title,
  messages: Object.fromEntries([...messages].sort(([a], [b]) => a - b)),
  members: Object.fromEntries([...members].sort(([a], [b]) => (a < b ? -1 : 1))),
})
