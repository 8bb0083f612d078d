import type { Duplex } from '../../api/contract/duplex.ts';
import { ATTACH_PARAMETERS, attachProblem, type PodAttachOptions } from '../../api/core/pod/exec.ts';
import { badRequest } from '../../api/errors/api-error.ts';
import type { ConnectOptions } from '../../api/schema/openapi.ts';
import type { ServerContext } from '../context.ts';
import type { Query } from '../query.ts';
import type { ResourceRequest } from '../request.ts';
import { announcedSession, endedByRefusal, streamTarget } from './stream-target.ts';

/** The kind of the options of `pods/<name>/attach`, for discovery and OpenAPI. */
export const ATTACH_OPTIONS: ConnectOptions = {
	group: '',
	version: 'v1',
	kind: 'PodAttachOptions',
	parameters: ATTACH_PARAMETERS,
};

/**
 * `pods/<name>/attach`: connects to the main process of a container. Checks the request and returns the function that
 * attaches by way of the node agent. Errors are those of `pods/<name>/exec`.
 */
export function podAttach(server: ServerContext, request: ResourceRequest): () => Promise<Duplex> {
	const options = attachOptions(request.call.query);
	const target = streamTarget(request, options.container);
	const problem = attachProblem(options);
	if (problem !== undefined) throw badRequest(problem);
	const node = target.node(server);
	const { namespace, name } = request;
	return async () => {
		const { container } = target;
		const session = node.attach({ ...options, container, namespace, pod: name });
		return announcedSession(await session.catch(endedByRefusal), options);
	};
}

/** The options of attach in a query, which exec has too. */
export function attachOptions(query: Query): PodAttachOptions {
	return {
		stdin: query.flag('stdin'),
		stdout: query.flag('stdout'),
		stderr: query.flag('stderr'),
		tty: query.flag('tty'),
		container: query.text('container'),
	};
}
