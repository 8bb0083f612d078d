import { CHANNELS, type Duplex, type DuplexMessage } from '../../api/contract/duplex.ts';
import type { NodeApi } from '../../api/contract/node-api.ts';
import type { PodAttachOptions } from '../../api/core/pod/exec.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { ApiError, badRequest } from '../../api/errors/api-error.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';
import { requestedContainer } from '../../plan/pod/container-log.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { existing } from '../verbs/get.ts';
import { connectedNode } from './connected-node.ts';

/** The Pod of a two-way stream. */
export interface PodTarget {
	readonly pod: Pod;
	/** The node agent of the Pod. Throws ServiceUnavailable if it is not connected. */
	node(server: ServerContext): NodeApi;
}

/**
 * The Pod that a request for a two-way stream means. Throws NotFound, or BadRequest if it has no node yet. Messages are
 * upstream's (streamLocation in registry/core/pod/strategy.go).
 */
export function podTarget(request: ResourceRequest): PodTarget {
	const pod = existingPod(request);
	return { pod, ...nodeOf(request, pod) };
}

/** The same with the container that `container` means. Throws BadRequest if it means none. */
export function streamTarget(
	request: ResourceRequest,
	container: string,
): PodTarget & { readonly container: string } {
	const pod = existingPod(request);
	return { pod, container: requestedContainer(pod, container), ...nodeOf(request, pod) };
}

function existingPod(request: ResourceRequest): Pod {
	const { object: pod } = existing(request);
	if (!isPod(pod)) throw badRequest('only Pods have streams');
	return pod;
}

function nodeOf({ name }: ResourceRequest, { spec: { nodeName } }: Pod): Pick<PodTarget, 'node'> {
	if (!nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
	return { node: (server) => connectedNode(server, { nodeName, pod: name }) };
}

/** A session that consists of the Status of an ApiError. Throws any other error. */
export function endedByRefusal(error: unknown): Duplex {
	if (!(error instanceof ApiError)) throw error;
	const [caller, own] = duplexPair();
	const bytes = new TextEncoder().encode(JSON.stringify(error.status));
	void own.send({ type: 'data', channel: CHANNELS.error, bytes });
	own.close();
	return caller;
}

/**
 * The session with an empty message before all others, on the first channel that the client reads: upstream tells
 * clients in this way that the session is established.
 */
export function announcedSession(
	session: Duplex,
	{ stdout, stderr }: Pick<PodAttachOptions, 'stdout' | 'stderr'>,
): Duplex {
	const channel = stdout ? CHANNELS.stdout : stderr ? CHANNELS.stderr : CHANNELS.error;
	let first: DuplexMessage | undefined = { type: 'data', channel, bytes: new Uint8Array() };
	return {
		receive: async () => {
			const message = first;
			first = undefined;
			return message ?? session.receive();
		},
		send: (message) => session.send(message),
		close: (reason) => {
			first = undefined;
			session.close(reason);
		},
		closed: session.closed,
	};
}
