import { type Static, Type } from '@sinclair/typebox'
import { closed, component, described } from '../contract.ts'
import { ReadRanges, ReadSeq, UnreadCount } from '../conversations/schemas.ts'
import { Sequence } from '../shared/scalars.ts'

export const MarkedSeq = described(Sequence, 'Every message up to this one is read; beyond the newest means the newest; a mark never moves back')

export const MarkReadRequest = component('MarkReadRequest', closed({ seq: MarkedSeq }, { description: 'Up to where you have read' }))

export const ReadMark = component(
  'ReadMark',
  Type.Object({ readSeq: ReadSeq, readRanges: ReadRanges, unreadCount: UnreadCount }, { description: 'Your read mark in a conversation' }),
)
export type ReadMark = Static<typeof ReadMark>
