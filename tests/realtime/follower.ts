/**
 * A client as the protocol's description has it, over bare frames and in the fewest words: a cursor per conversation, three cases
 * for every change, a resume where something is missing. It keeps what it applied, and complains of what it should not have seen.
 */
import { type Change, NotFoundError, type Parley } from '@parley/sdk'
import WebSocket from 'ws'
import { addMessage, applyChange, type Folded, foldedOf } from './fold.ts'

export type Follower = ReturnType<typeof createFollower>

interface Person {
  api: Parley
  accessToken: string
  id: string
}

interface Frame {
  type: string
  id?: number
  // biome-ignore lint/suspicious/noExplicitAny: the contract guard of the server has validated it
  data: any
  error?: { code: string }
}

/** Far longer than anything takes, so that what never comes has a name. */
const patienceMilliseconds = 30_000

export function createFollower(url: string, person: Person) {
  const conversations = new Map<string, { cursor: number; state: Folded; applied: number[] }>()
  const known = new Map<string, number>()
  const complaints: string[] = []
  const looks = new Set<() => void>()
  const loading = new Set<string>()
  /** Commands that are not answered yet; undefined stands for an answer that will not come. */
  const asked = new Map<number, (answer: Frame | undefined) => void>()
  let lastId = 0
  let socket: WebSocket | undefined
  let resuming: Set<string> | undefined
  /** Of these, what a resume under way brought may have been dropped. */
  const spoilt = new Set<string>()
  /** Undefined: all. */
  let wanted: Set<string> | undefined

  const isWanted = (id: string): boolean => wanted?.has(id) ?? true

  /** From the start, as REST has it: one read of the conversation is of one moment. */
  const load = async (id: string): Promise<void> => {
    const heard = known.get(id) ?? 0
    try {
      const { conversation } = await person.api.conversations.get(id)
      const state = foldedOf(conversation, person.id)
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
    if (!isWanted(id)) {
      if (held !== undefined && !resuming?.has(id)) complaints.push(`${id}: ${changeSeq} is not wanted`)
      return
    }
    if (held === undefined) return expect(id, changeSeq)
    if (changeSeq <= held.cursor) return
    if (previousChangeSeq > held.cursor) {
      const isExplained = resuming?.has(id) || isBehind(id) || asked.size > 0
      if (!isExplained) complaints.push(`${id}: ${changeSeq} follows ${previousChangeSeq}, and the cursor is ${held.cursor}`)
      return expect(id, changeSeq)
    }
    // Whoever comes back begins as one who was never there.
    if (change.type === 'member.joined' && change.data.member.user.id === person.id) {
      leave(id)
      return expect(id, changeSeq)
    }
    held.cursor = changeSeq
    held.applied.push(changeSeq)
    applyChange(held.state, change)
    if (change.type === 'member.left' && change.data.userId === person.id) leave(id)
    for (const look of looks) look()
  }

  const onReady = (cursors: Record<string, number>): void => {
    for (const [id, cursor] of Object.entries(cursors)) {
      const held = conversations.get(id)
      if (spoilt.has(id)) continue
      if (held !== undefined && held.cursor < cursor) complaints.push(`${id}: ready at ${cursor}, and the cursor is ${held.cursor}`)
    }
    resuming = undefined
    spoilt.clear()
    catchUp()
  }

  const onFrame = (frame: Frame): void => {
    const answered = frame.type === 'ack' || frame.type === 'error' ? asked.get(frame.id ?? 0) : undefined
    if (answered) answered(frame)
    else if (frame.type === 'hello') {
      if (wanted === undefined) for (const id of conversations.keys()) if (!(id in frame.data.positions)) leave(id)
      for (const [id, position] of Object.entries<number>(frame.data.positions)) expect(id, position)
    } else if (frame.type === 'error' && frame.error?.code === 'unavailable')
      // The server sends it away to resume later.
      resuming = undefined
    else if (frame.type === 'gone') leave(frame.data.conversationId)
    else if (frame.type === 'ready') onReady(frame.data.cursors)
    else if ('changeSeq' in frame) onChange(frame as unknown as Change)
    else if (frame.type === 'error' || frame.type === 'gap') complaints.push(JSON.stringify(frame))
  }

  /** Nothing is known of the next connection yet. */
  const forgetConnection = (): void => {
    resuming = undefined
    spoilt.clear()
    for (const settle of asked.values()) settle(undefined)
  }

  const connect = async ({ startsEmpty = false } = {}): Promise<void> => {
    const opened = new WebSocket(`${url.replace('http', 'ws')}/v1/ws${startsEmpty ? '?subscribe=none' : ''}`, ['parley.v1', `bearer.${person.accessToken}`])
    socket = opened
    want(startsEmpty ? [] : undefined)
    await new Promise<void>((resolve, reject) => {
      opened.on('error', (error) => (socket === opened ? reject(error) : resolve()))
      opened.on('close', (code) => {
        resolve()
        if (socket !== opened || code !== 1001) return
        forgetConnection()
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

  const want = (ids: Iterable<string> | undefined): void => {
    wanted = ids && new Set(ids)
    for (const id of [...known.keys()]) if (!isWanted(id)) known.delete(id)
    for (const id of resuming ?? []) if (!isWanted(id)) spoilt.add(id)
  }

  /** @param onAck is called before the next frame is looked at. */
  const ask = (type: 'subscribe' | 'unsubscribe', data: object, onAck: (positions: Record<string, number>) => void): Promise<boolean> =>
    new Promise((resolve) => {
      if (socket?.readyState !== WebSocket.OPEN) return resolve(false)
      const id = ++lastId
      asked.set(id, (answer) => {
        asked.delete(id)
        if (answer?.type === 'ack') onAck(answer.data?.positions ?? {})
        else if (answer !== undefined && answer.error?.code !== 'not_found') complaints.push(JSON.stringify(answer))
        resolve(answer?.type === 'ack')
      })
      socket.send(JSON.stringify({ type, id, data }))
    })

  return {
    conversations,
    complaints,

    get isNarrow(): boolean {
      return wanted !== undefined
    },

    /** Connects again when the server says that it should. @returns once the server said hello, or the connection was cut. */
    connect,

    /** As when the network breaks. */
    cut(): void {
      socket?.terminate()
      socket = undefined
      forgetConnection()
    },

    /** These alone, or beside those that were named before. What is refused changes nothing. */
    subscribe: (ids: string[]): Promise<boolean> =>
      ask('subscribe', { conversationIds: ids }, (positions) => {
        want([...(wanted ?? []), ...ids])
        for (const [id, position] of Object.entries(positions)) expect(id, position)
      }),

    unsubscribe: (ids: string[]): Promise<boolean> =>
      ask('unsubscribe', { conversationIds: ids }, () => want([...(wanted ?? [...conversations.keys(), ...known.keys()])].filter((id) => !ids.includes(id)))),

    /** What is not among all is not ours any more, unless something was heard of it meanwhile. */
    async subscribeAll(): Promise<void> {
      if (socket?.readyState !== WebSocket.OPEN) return
      const before = new Map([...conversations].map(([id, { cursor }]) => [id, cursor]))
      // What is new by now may come ahead of the answer.
      want(undefined)
      await ask('subscribe', {}, (positions) => {
        want(undefined)
        for (const [id, cursor] of before) if (!(id in positions) && conversations.get(id)?.cursor === cursor && !isBehind(id)) leave(id)
        for (const [id, position] of Object.entries(positions)) expect(id, position)
      })
    },

    /** Resolves when everything up to these positions has been applied, and nothing else is held. */
    async reach(positions: Record<string, number>): Promise<void> {
      await new Promise<void>((resolve, reject) => {
        const impatience = setTimeout(() => {
          const held = Object.fromEntries([...conversations].map(([id, { cursor }]) => [id, cursor]))
          reject(new Error(`${JSON.stringify(positions)} is not reached: it holds ${JSON.stringify(held)}, and knows ${JSON.stringify([...known])}`))
        }, patienceMilliseconds)
        const look = () => {
          const there = Object.entries(positions).every(([id, position]) => (conversations.get(id)?.cursor ?? -1) >= position)
          if (!there || loading.size > 0 || conversations.size > Object.keys(positions).length) return
          looks.delete(look)
          clearTimeout(impatience)
          resolve()
        }
        looks.add(look)
        look()
      })
    },
  }
}
