/** What people do in the tests of sockets, and what their sockets have heard of it. */
import type { ReceivedFrame, TestServer } from '../helpers/server.ts'

export type Person = Awaited<ReturnType<TestServer['signUp']>>
export type Socket = Awaited<ReturnType<TestServer['socket']>>

export const times = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)))
export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

export const send = async ({ api }: Person, id: string, content = 'hello') => (await api.conversations.sendMessage(id, { content })).message

export async function createGroup(owner: Person, ...members: Person[]): Promise<string> {
  const { conversation } = await owner.api.conversations.create({ type: 'group', memberIds: members.map(({ id }) => id), title: 'Lunch' })
  return conversation.id
}

export const numbers = ({ frames }: Socket, id: string) => frames.flatMap(({ conversationId, changeSeq }) => (conversationId === id ? [changeSeq] : []))
export const until = ({ frame }: Socket, id: string, changeSeq: number): Promise<ReceivedFrame> =>
  frame((one) => one.conversationId === id && (one.changeSeq ?? 0) >= changeSeq)
