import type { Duplex, DuplexClose } from '../../api/contract/duplex.ts';
import type { ContainerExecRequest } from '../../api/contract/node-api.ts';
import { exitStatus } from '../../api/core/pod/exec.ts';
import { internalError, type Status } from '../../api/errors/api-error.ts';
import type { ExecSession, Runtime } from '../../runtime/contract.ts';
import { endedByStatus, onlyAskedFor, startedSession } from './session.ts';

/**
 * Runs a command in the container with this id: see NodeApi.exec. Rejects with BadRequest if the command cannot be
 * started, or with ServiceUnavailable if the runtime cannot be reached.
 */
export async function execIn(
	runtime: Runtime,
	containerId: string,
	request: ContainerExecRequest,
): Promise<Duplex> {
	const { command, stdin, stdout, tty } = request;
	// A terminal has one output: as upstream, a request for standard error beside it has no effect.
	const stderr = request.stderr && !tty;
	const session = await startedSession(runtime.exec(containerId, { command, stdin, stdout, stderr, tty }));
	return withStatus(session, request);
}

/** The result of the command once it has ended. */
function withStatus({ streams, exitCode }: ExecSession, request: ContainerExecRequest): Duplex {
	const statusOf = async (close: DuplexClose): Promise<Status> =>
		close.type === 'ended'
			? exitStatus(request.command, await exitCode)
			: internalError(`error executing command in container: ${close.message}`).status;
	return endedByStatus(onlyAskedFor(streams, request), statusOf);
}
