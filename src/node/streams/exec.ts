import { CHANNELS, type Duplex, type DuplexMessage } from '../../api/contract/duplex.ts';
import type { ContainerExecRequest } from '../../api/contract/node-api.ts';
import { exitStatus } from '../../api/core/pod/exec.ts';
import { badRequest, internalError, type Status, serviceUnavailable } from '../../api/errors/api-error.ts';
import { ExecError, type ExecSession, type Runtime, RuntimeUnavailable } from '../../runtime/contract.ts';

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
	const session = await started(runtime.exec(containerId, { command, stdin, stdout, stderr, tty }));
	return withStatus(session, request);
}

async function started(call: Promise<ExecSession>): Promise<ExecSession> {
	try {
		return await call;
	} catch (error) {
		if (error instanceof ExecError) throw badRequest(error.message);
		if (error instanceof RuntimeUnavailable) throw serviceUnavailable(error.message);
		throw error;
	}
}

/**
 * The session of the command, followed by its Status. Input on channels that the client has not asked for is
 * dropped, as upstream.
 */
function withStatus({ streams, exitCode }: ExecSession, request: ContainerExecRequest): Duplex {
	const { command, stdin, tty } = request;
	let isOver = false;
	const receive = async (): Promise<DuplexMessage | undefined> => {
		const message = await streams.receive();
		if (message || isOver) return message;
		isOver = true;
		const close = await streams.closed;
		const status =
			close.type === 'ended' ? exitStatus(command, await exitCode) : failureStatus(close.message);
		const bytes = new TextEncoder().encode(JSON.stringify(status));
		return { type: 'data', channel: CHANNELS.error, bytes };
	};
	return {
		receive,
		send: async (message) => {
			const { channel } = message;
			const isWanted = (channel === CHANNELS.stdin && stdin) || (channel === CHANNELS.resize && tty);
			return isWanted ? streams.send(message) : true;
		},
		close: (reason) => {
			isOver = true;
			streams.close(reason);
		},
		closed: streams.closed,
	};
}

function failureStatus(message: string): Status {
	return internalError(`error executing command in container: ${message}`).status;
}
