/**
 * The messages between the server and its process in the network of the node, over Node's channel between a process and its
 * child, which passes sockets on. The agent sends one answer for each request, in any order. After one with a socket it waits until
 * the server has taken it, before it sends the next socket. Node drops an answer whose socket the server has no descriptor for:
 * the agent then sends another one, with an error.
 */
import { isRecord } from '../../../../base/json/json.ts';

/** What the server asks for: a socket that is connected, that listens, that is bound for datagrams, or the one for egress. */
export interface AgentRequest {
	readonly id: number;
	readonly kind: 'connect' | 'listen' | 'bind' | 'egress';
	readonly host: string;
	readonly port: number;
}

/** The server has the answer to the request `taken`, which has no error. */
export interface TakenNote {
	readonly taken: number;
}

/** The first message of the agent: it takes requests. */
export interface AgentReady {
	readonly ready: true;
	/** Why datagrams of Pods do not reach other machines; absent: they do. */
	readonly withoutDatagrams?: string;
}

/** Decodes the first message; undefined if it is another one. */
export function agentReadyOf(message: unknown): AgentReady | undefined {
	if (!isRecord(message) || message.ready !== true) return undefined;
	const { withoutDatagrams } = message;
	return { ready: true, ...(typeof withoutDatagrams === 'string' && { withoutDatagrams }) };
}

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

/** The id of the request of a {@link TakenNote}; undefined if the message is none. */
export function takenIdOf(message: unknown): number | undefined {
	return isRecord(message) && typeof message.taken === 'number' ? message.taken : undefined;
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
