import { closeSync, constants, openSync } from 'node:fs';
import { attempt } from '../../../base/attempt.ts';
import { type AttachConfig, ExecError } from '../../contract.ts';
import type { OutputTaps } from '../output/output-taps.ts';
import { pipeWriter, receiveInput } from './session-pipes.ts';
import type { ServeSession } from './session-server.ts';

/** A running container to attach to. */
export interface AttachTarget {
	readonly taps: OutputTaps;
	/** The named pipes of its standard input and of its waiter's control; undefined if it has no `stdin` and no terminal. */
	readonly input: { readonly stdin?: string; readonly control: string } | undefined;
	/** If true, its standard input ends with the first session that has one. */
	readonly stdinOnce: boolean;
	/** False where the launcher does not own its pipes. */
	readonly isAttachable: boolean;
}

/** Attaches to the main process of a container; see rule 11 in runtime/contract.ts. Throws {@link ExecError}. */
export function beginAttach(target: AttachTarget, config: AttachConfig): ServeSession {
	if (!target.isAttachable) throw new ExecError('Unsupported', 'the container was started without the shim');
	return async (peer) => {
		const { taps, input, stdinOnce } = target;
		const wants = new Set([
			...(config.stdout ? ['stdout' as const] : []),
			...(config.stderr ? ['stderr' as const] : []),
		]);
		taps.add(peer, wants);
		const stdin = config.stdin && input?.stdin !== undefined ? openWriter(input.stdin) : undefined;
		const control = input ? openWriter(input.control) : undefined;
		// The waiter holds standard input open, so that the end of one session is not the end of the input.
		const onInputEnd = (): void => {
			if (!stdin || !stdinOnce) return;
			stdin.end();
			control?.write('C\n');
		};
		await receiveInput(peer, { stdin, control, onInputEnd });
		stdin?.end();
		control?.end();
	};
}

/** Opens a named pipe whose reader exists; undefined if the container has ended. */
function openWriter(path: string): ReturnType<typeof pipeWriter> | undefined {
	const { O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
	const fd = attempt(() => openSync(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW));
	if (fd === undefined) return undefined;
	try {
		return pipeWriter(fd);
	} catch (error) {
		closeSync(fd);
		throw error;
	}
}
