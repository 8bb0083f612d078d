/**
 * The messages between the server and its process in the network of the node, over Node's channel between a process and its
 * child, which passes sockets on. The agent sends one answer for each request, in any order; with an answer that has a socket it
 * waits for the message `taken` before it sends the next one.
 */
import { isRecord } from '../../../../base/json/json.ts';

/** What the server asks for: a socket that is connected, that listens, that is bound for datagrams, or the one for egress. */
export interface AgentRequest {
	readonly id: number;
	readonly kind: 'connect' | 'listen' | 'bind' | 'egress';
	readonly host: string;
	readonly port: number;
}

/** The server has taken the socket of the last answer. */
export const TAKEN = 'taken';
/** The agent takes requests. */
export const AGENT_READY = 'ready';

/** The answer to a request: with a socket, unless there was an error. */
export interface AgentAnswer {
	readonly id: number;
	readonly error?: { readonly message: string; readonly code: string };
}

/** Decodes an answer; undefined if it is none. */
export function agentAnswerOf(message: unknown): AgentAnswer | undefined {
	if (!isRecord(message) || typeof message.id !== 'number') return undefined;
	const { id, error } = message;
	if (!isRecord(error)) return { id };
	return { id, error: { message: String(error.message), code: String(error.code) } };
}

/** Decodes a request; undefined if it is none. */
export function agentRequestOf(message: unknown): AgentRequest | undefined {
	if (!isRecord(message)) return undefined;
	const { id, kind, host, port } = message;
	if (kind !== 'connect' && kind !== 'listen' && kind !== 'bind' && kind !== 'egress') return undefined;
	return typeof id === 'number' && typeof host === 'string' && typeof port === 'number'
		? { id, kind, host, port }
		: undefined;
}
