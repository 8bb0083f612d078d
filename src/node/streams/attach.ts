import type { Duplex } from '../../api/contract/duplex.ts';
import type { ContainerAttachRequest } from '../../api/contract/node-api.ts';
import { SUCCESS } from '../../api/core/pod/exec.ts';
import { internalError } from '../../api/errors/api-error.ts';
import type { Runtime } from '../../runtime/contract.ts';
import { endedByStatus, onlyAskedFor, startedSession } from './session.ts';

/**
 * Attaches to the container with this id: see NodeApi.attach. `tty` says whether the container has a terminal, whatever
 * the client asks for. Rejects with BadRequest if the runtime cannot attach to it, or with ServiceUnavailable if the
 * runtime cannot be reached.
 */
export async function attachTo(
	runtime: Runtime,
	containerId: string,
	request: ContainerAttachRequest,
): Promise<Duplex> {
	const { stdin, stdout, tty } = request;
	// A terminal has one output: as upstream, a request for standard error beside it has no effect.
	const stderr = request.stderr && !tty;
	const streams = await startedSession(runtime.attach(containerId, { stdin, stdout, stderr }));
	// A failure of the container is not one of the session: kubectl would print the log of the container then.
	return endedByStatus(onlyAskedFor(streams, request), async (close) =>
		close.type === 'ended' ? SUCCESS : internalError(`error attaching to container: ${close.message}`).status,
	);
}
