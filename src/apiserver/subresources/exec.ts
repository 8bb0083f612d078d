import { CHANNELS, type Duplex, type DuplexMessage } from '../../api/contract/duplex.ts';
import { EXEC_PARAMETERS, execProblem, type PodExecOptions } from '../../api/core/pod/exec.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import { ApiError, badRequest } from '../../api/errors/api-error.ts';
import type { ConnectOptions } from '../../api/schema/openapi.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';
import { requestedContainer } from '../../plan/pod/container-log.ts';
import type { ServerContext } from '../context.ts';
import type { Query } from '../query.ts';
import type { ResourceRequest } from '../request.ts';
import { existing } from '../verbs/get.ts';
import { connectedNode } from './connected-node.ts';

/** The kind of the options of `pods/<name>/exec`, for discovery and OpenAPI. */
export const EXEC_OPTIONS: ConnectOptions = {
	group: '',
	version: 'v1',
	kind: 'PodExecOptions',
	parameters: EXEC_PARAMETERS,
};

/**
 * `pods/<name>/exec`: runs a command in a container. Checks the request and returns the function that starts the
 * command by way of the node agent. Throws NotFound, BadRequest, or ServiceUnavailable if the node agent is not
 * connected. Messages are upstream's (streamLocation in registry/core/pod/strategy.go). If the node agent refuses the
 * command, its error is the Status that ends the session, as upstream: kubectl would try SPDY after a refused upgrade,
 * and print the error of that.
 */
export function podExec(server: ServerContext, request: ResourceRequest): () => Promise<Duplex> {
	const { object: pod } = existing(request);
	if (!isPod(pod)) throw badRequest('only Pods run commands');
	const options = execOptions(request.call.query);
	const container = requestedContainer(pod, options.container);
	const { nodeName } = pod.spec;
	if (!nodeName) throw badRequest(`pod ${request.name} does not have a host assigned`);
	const problem = execProblem(options);
	if (problem !== undefined) throw badRequest(problem);
	const node = connectedNode(server, { nodeName, pod: request.name });
	const { namespace, name } = request;
	return async () => {
		const session = node.exec({ ...options, container, namespace, pod: name });
		return announced(await session.catch(endedByError), options);
	};
}

/** A session that consists of the Status of an ApiError. Throws any other error. */
function endedByError(error: unknown): Duplex {
	if (!(error instanceof ApiError)) throw error;
	const [caller, own] = duplexPair();
	const bytes = new TextEncoder().encode(JSON.stringify(error.status));
	void own.send({ type: 'data', channel: CHANNELS.error, bytes });
	own.close();
	return caller;
}

function execOptions(query: Query): PodExecOptions {
	return {
		stdin: query.flag('stdin'),
		stdout: query.flag('stdout'),
		stderr: query.flag('stderr'),
		tty: query.flag('tty'),
		container: query.text('container'),
		command: query.texts('command'),
	};
}

/**
 * The session with an empty message before all others, on the first channel that the client reads: upstream tells
 * clients in this way that the session is established.
 */
function announced(session: Duplex, { stdout, stderr }: PodExecOptions): Duplex {
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
