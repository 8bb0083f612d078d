import { ExecError } from '../../contract.ts';
import type { ContainerProcess, ProcessHost, ProcessOptions } from '../containers/container-process.ts';
import type { RunRecord } from '../launcher/journal-entry.ts';
import { beginAttach } from './attach-session.ts';
import { beginExec } from './exec-session.ts';
import type { ContainerSessionRequest } from './session-protocol.ts';
import type { ServeSession } from './session-server.ts';

/** A running container that a session is for. */
export interface SessionContainer {
	readonly process: Pick<ContainerProcess, 'identity' | 'taps' | 'input' | 'ended'>;
	/** How the shim runs it; undefined where it does not: then it has no sessions. */
	readonly run: RunRecord | undefined;
	/** How a program starts in a container that the shim runs so. */
	optionsOf(run: RunRecord): Pick<ProcessOptions, 'program' | 'box'>;
}

/** Begins a session with a container; undefined is one that does not run. Rejects with {@link ExecError}. */
export async function beginContainerSession(
	request: ContainerSessionRequest,
	container: SessionContainer | undefined,
	{ shim, pipes, clock }: Pick<ProcessHost, 'shim' | 'pipes' | 'clock'>,
): Promise<ServeSession> {
	if (!container)
		throw new ExecError('ContainerNotRunning', `container ${request.containerId} is not running`);
	const { process, run } = container;
	if (request.kind === 'attach') {
		const { taps, input } = process;
		const stdinOnce = run?.config.stdinOnce ?? false;
		return beginAttach({ taps, input, stdinOnce, isAttachable: run !== undefined }, request.config);
	}
	if (!shim || !run) throw new ExecError('Unsupported', 'the container was started without the shim');
	const { program, box } = container.optionsOf(run);
	const cgroups = run.cgroups?.folders ?? [];
	const target = { identity: process.identity, program, box, cgroups, ended: process.ended };
	return await beginExec(target, request.config, { shim, pipes, clock });
}
