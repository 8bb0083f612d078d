import type { Duplex } from '../../api/contract/duplex.ts';
import { EXEC_PARAMETERS, execProblem, type PodExecOptions } from '../../api/core/pod/exec.ts';
import { badRequest } from '../../api/errors/api-error.ts';
import type { ConnectOptions } from '../../api/schema/openapi.ts';
import type { ServerContext } from '../context.ts';
import type { Query } from '../query.ts';
import type { ResourceRequest } from '../request.ts';
import { attachOptions } from './attach.ts';
import { announcedSession, endedByRefusal, streamTarget } from './stream-target.ts';

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
	const options = execOptions(request.call.query);
	const target = streamTarget(request, options.container);
	const problem = execProblem(options);
	if (problem !== undefined) throw badRequest(problem);
	const node = target.node(server);
	const { namespace, name } = request;
	return async () => {
		const { container } = target;
		const session = node.exec({ ...options, container, namespace, pod: name });
		return announcedSession(await session.catch(endedByRefusal), options);
	};
}

function execOptions(query: Query): PodExecOptions {
	return { ...attachOptions(query), command: query.texts('command') };
}
