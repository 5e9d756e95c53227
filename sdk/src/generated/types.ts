// Generated from openapi/openapi.json by `npm run generate`. Changes made here are lost.

export interface AckFrame {
    type: "ack";
    /** Your own, to find the answer by */
    id: string | number;
    /** The result of the command, where it has one */
    data?: unknown;
}

export interface AddMembersRequest {
    /** Those who are members already stay as they are */
    userIds: string[];
}

export interface AddMembersResult {
    /** The named users, as members */
    members: Member[];
}

export interface ApiError {
    /**
     * For programs; the sentence in `message` may change, this does not
     */
    code: "validation_error" | "malformed_json" | "unauthorized" | "invalid_credentials" | "invalid_code" | "forbidden" | "email_not_verified" | "token_family_compromised" | "not_found" | "method_not_allowed" | "conflict" | "payload_too_large" | "unsupported_media_type" | "upgrade_required" | "rate_limit_exceeded" | "internal_error" | "unavailable";
    /** For a person: what is wrong and what to do */
    message: string;
    /** Every field that is wrong */
    details?: FieldError[];
    /** When to try again; on requests also in `Retry-After` */
    retryAfterSeconds?: number;
    /** Also in the `X-Request-Id` header and in every log line of the request */
    requestId: string | null;
    /**
     * Format: date-time
     * ISO 8601, UTC, milliseconds
     */
    timestamp: string;
}

export type Change = MessageCreatedEvent | ConversationUpdatedEvent | MemberJoinedEvent | MemberUpdatedEvent | MemberLeftEvent | ReadEvent;

export interface Conversation {
    /**
     * Format: uuid
     * Id of a conversation
     */
    id: string;
    type: "direct" | "group";
    /** Null in direct conversations and where none was given */
    title: string | null;
    /**
     * Format: uuid
     * Id of a user
     */
    createdBy: string;
    /**
     * Format: date-time
     * ISO 8601, UTC, milliseconds
     */
    createdAt: string;
    /**
     * Your own
     */
    role: "owner" | "admin" | "member";
    memberCount: number;
    /** The first 10 who joined; `conversations.listMembers` has all */
    members: Member[];
    lastMessage: Message | null;
    /** `seq` of the newest message; 0 when there is none */
    lastSeq: number;
    /** Number of the last change: a cursor for the socket and for `sync.pull` */
    changeSeq: number;
    /** Up to where you have read */
    readSeq: number;
    /** Exactly how many messages you have not read */
    unreadCount: number;
    /**
     * Format: date-time
     * Time of the last message or change
     */
    updatedAt: string;
}

export interface ConversationResult {
    conversation: Conversation;
}

export interface ConversationState {
    /**
     * Format: uuid
     * Id of a conversation
     */
    id: string;
    type: "direct" | "group";
    /** Null in direct conversations and where none was given */
    title: string | null;
    /**
     * Format: uuid
     * Id of a user
     */
    createdBy: string;
    /**
     * Format: date-time
     * ISO 8601, UTC, milliseconds
     */
    createdAt: string;
}

/** A conversation was created or changed */
export interface ConversationUpdatedEvent {
    type: "conversation.updated";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    data: {
        conversation: ConversationState;
    };
}

/** Mark as read up to a message */
export interface ConversationsMarkReadCommand {
    type: "conversations.markRead";
    /** Your own, to find the answer by */
    id?: string | number;
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
        seq: number;
    };
}

/** Send a message */
export interface ConversationsSendMessageCommand {
    type: "conversations.sendMessage";
    /** Your own, to find the answer by */
    id?: string | number;
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
        content: string;
        /** Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists */
        clientId?: string;
        /** Up to 50 entries of your own */
        metadata?: {
            [key: string]: string | number | boolean;
        };
    };
}

/** Say that you are typing, or not any more */
export interface ConversationsSetTypingCommand {
    type: "conversations.setTyping";
    /** Your own, to find the answer by */
    id?: string | number;
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
        typing: boolean;
    };
}

export interface CreateConversationRequest {
    type: "direct" | "group";
    /** The others; exactly one in a direct conversation */
    memberIds: string[];
    /** Groups only */
    title?: string;
    /** Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists */
    clientId?: string;
}

/** The last `changeSeq` you hold, by conversation id; 0 where you hold nothing: then from where you joined */
export interface Cursors {
    [key: string]: number;
}

export interface ErrorFrame {
    type: "error";
    /** Your own, to find the answer by */
    id?: string | number;
    error: ApiError;
}

export interface ErrorResponse {
    error: ApiError;
}

export interface FieldError {
    /** Where: `body.email`, `query.limit`, `params.conversationId` */
    field: string;
    /** What is wrong with it, for a person */
    reason: string;
}

/** Too much was missed to send it here */
export interface GapEvent {
    type: "gap";
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
        fromChangeSeq: number;
        changeSeq: number;
        missed: number;
    };
}

/** A conversation of the resume is not yours any more */
export interface GoneEvent {
    type: "gone";
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
    };
}

export interface Health {
    status: "healthy";
    /**
     * Format: date-time
     * ISO 8601, UTC, milliseconds
     */
    timestamp: string;
    uptimeSeconds: number;
    environment: "development" | "test" | "production";
}

/** The socket is subscribed */
export interface HelloEvent {
    type: "hello";
    data: {
        /** The server pings this often; a ping unanswered until the next one ends the connection */
        heartbeatSeconds: number;
        /** A longer frame from the client ends the connection with code 1009 */
        maxFrameBytes: number;
        positions: Positions;
    };
}

export interface LoginRequest {
    /** E-mail address or username */
    identifier: string;
    password: string;
}

export interface MarkReadRequest {
    /** Every message up to this one is read; beyond the newest means the newest; a mark never moves back */
    seq: number;
}

export interface Member {
    user: UserSummary;
    role: "owner" | "admin" | "member";
    /** Every message up to this `seq` is read */
    readSeq: number;
    /**
     * Format: date-time
     * ISO 8601, UTC, milliseconds
     */
    joinedAt: string;
}

/** Somebody became a member */
export interface MemberJoinedEvent {
    type: "member.joined";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    data: {
        member: Member;
    };
}

/** Somebody left or was removed */
export interface MemberLeftEvent {
    type: "member.left";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    data: {
        /**
         * Format: uuid
         * Id of a user
         */
        userId: string;
    };
}

/** A member has another role */
export interface MemberUpdatedEvent {
    type: "member.updated";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    data: {
        member: Member;
    };
}

export interface Message {
    /**
     * Format: uuid
     * Id of a message
     */
    id: string;
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** Position in the conversation: 1, 2, 3 … without holes; the order of messages */
    seq: number;
    /** The conversation's number of this message's last change */
    changeSeq: number;
    /**
     * Format: uuid
     * Id of a user
     */
    senderId: string;
    type: "text";
    content: string;
    /** The `clientId` it was sent with */
    clientId: string | null;
    /** Up to 50 entries of your own */
    metadata: {
        [key: string]: string | number | boolean;
    };
    /**
     * Format: date-time
     * ISO 8601, UTC, milliseconds
     */
    createdAt: string;
}

/** A message was sent */
export interface MessageCreatedEvent {
    type: "message.created";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    data: {
        message: Message;
    };
}

/** Are you there? */
export interface PingCommand {
    type: "ping";
    /** Your own, to find the answer by */
    id?: string | number;
    data: Record<string, never>;
}

/** The answer to `ping` */
export interface PongEvent {
    type: "pong";
    data: Record<string, never>;
}

/** The present `changeSeq` of every conversation of yours, by its id */
export interface Positions {
    [key: string]: number;
}

export interface PullRequest {
    cursors?: Cursors;
    /**
     * Changes per answer
     * @default 500
     */
    limit?: number;
}

export interface PullResult {
    /** In order within each conversation; the present state of what changed */
    changes: Change[];
    /** The cursors of the request, moved past these changes */
    cursors: Positions;
    positions: Positions;
    /** Conversations of the request that are not yours any more */
    gone: string[];
    /** Ask again with the new cursors */
    hasMore: boolean;
}

/** A member has read up to a message */
export interface ReadEvent {
    type: "read";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    data: {
        /**
         * Format: uuid
         * Id of a user
         */
        userId: string;
        readSeq: number;
    };
}

export interface ReadMark {
    /** Every message up to this `seq` is read */
    readSeq: number;
    unreadCount: number;
}

export interface Readiness {
    status: "ready" | "not_ready";
    /**
     * Format: date-time
     * ISO 8601, UTC, milliseconds
     */
    timestamp: string;
    /** Each dependency */
    services: {
        database: "up" | "down";
        jobs: "up" | "down";
    };
}

/** The resume is complete */
export interface ReadyEvent {
    type: "ready";
    data: {
        cursors: Positions;
    };
}

export interface RefreshRequest {
    /** Opaque; valid for 7 days, once: every refresh returns the next one */
    refreshToken: string;
}

export interface RegisterRequest {
    /** Format: email */
    email: string;
    /** 8–128 characters; without it, sign in by mailed codes */
    password?: string;
    /** 3–32 letters, digits, `_`, `.`, `-`; unique in any letter case */
    username?: string;
    displayName?: string;
    firstName?: string;
    lastName?: string;
    /** International format: `+` and 7–15 digits */
    phone?: string;
    /** 6–20 letters and digits */
    companyCustomerId?: string;
}

export interface RegisterResult {
    user: User;
}

export interface RequestCodeRequest {
    /** Format: email */
    email: string;
}

/** Send me what is newer than my cursors */
export interface ResumeCommand {
    type: "resume";
    /** Your own, to find the answer by */
    id?: string | number;
    data: {
        cursors: Cursors;
    };
}

export interface SendDirectMessageRequest {
    /**
     * Format: uuid
     * Whom to write to; the direct conversation is found or made
     */
    recipientId: string;
    content: string;
    /** Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists */
    clientId?: string;
    /** Up to 50 entries of your own */
    metadata?: {
        [key: string]: string | number | boolean;
    };
}

export interface SendMessageRequest {
    content: string;
    /** Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists */
    clientId?: string;
    /** Up to 50 entries of your own */
    metadata?: {
        [key: string]: string | number | boolean;
    };
}

export interface SendMessageResult {
    message: Message;
}

export interface SetTypingRequest {
    typing: boolean;
}

export interface TokenPair {
    /** JWT for `Authorization: Bearer` */
    accessToken: string;
    /** Opaque; valid for 7 days, once: every refresh returns the next one */
    refreshToken: string;
    /** Until the access token expires */
    expiresInSeconds: number;
    /** Until the refresh token expires */
    refreshExpiresInSeconds: number;
    tokenType: "Bearer";
    user: User;
}

/** A member is typing, or not any more */
export interface TypingEvent {
    type: "typing";
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
        /**
         * Format: uuid
         * Id of a user
         */
        userId: string;
        typing: boolean;
        /** It has ended when nothing else was said until then */
        expiresInSeconds: number;
    };
}

export interface UpdateConversationRequest {
    title: string;
}

export interface UpdateMemberRequest {
    role: "owner" | "admin" | "member";
}

export interface User {
    /**
     * Format: uuid
     * Id of a user
     */
    id: string;
    /** Format: email */
    email: string;
    emailVerified: boolean;
    username: string | null;
    displayName: string | null;
    firstName: string | null;
    lastName: string | null;
    phone: string | null;
    companyCustomerId: string | null;
    role: "user" | "admin";
    /**
     * Format: date-time
     * ISO 8601, UTC, milliseconds
     */
    createdAt: string;
    /**
     * Format: date-time
     * ISO 8601, UTC, milliseconds
     */
    updatedAt: string;
}

export interface UserSummary {
    /**
     * Format: uuid
     * Id of a user
     */
    id: string;
    username: string | null;
    displayName: string | null;
}

export interface VerifyEmailRequest {
    /** Format: email */
    email: string;
    /** The 6 digits that were mailed; valid for 10 minutes, once, 5 tries */
    code: string;
}

export interface ConversationsListMembersQuery {
    /** `nextCursor` of the page before */
    cursor?: string;
    /**
     * Items per page
     * @default 20
     */
    limit?: number;
}

export interface ConversationsListQuery {
    /** `nextCursor` of the page before */
    cursor?: string;
    /**
     * Items per page
     * @default 20
     */
    limit?: number;
}

export interface MessagesListQuery {
    /**
     * Format: uuid
     * Id of a message
     */
    before?: string;
    /**
     * Format: uuid
     * Id of a message
     */
    after?: string;
    /** `nextCursor` of the page before */
    cursor?: string;
    /**
     * Items per page
     * @default 50
     */
    limit?: number;
}

export interface SystemAsyncapiResult {
    [key: string]: unknown;
}

export interface SystemOpenapiResult {
    [key: string]: unknown;
}

export interface SystemPostmanResult {
    [key: string]: unknown;
}
