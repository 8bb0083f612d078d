import type { Status } from '../../errors/api-error.ts';

/** v1.PodAttachOptions, which clients send as query parameters of `pods/<name>/attach`. */
export interface PodAttachOptions {
	readonly stdin: boolean;
	readonly stdout: boolean;
	readonly stderr: boolean;
	/** For attach it has no effect: the container has a terminal or not. */
	readonly tty: boolean;
	/** Empty: the only container of the Pod. */
	readonly container: string;
}

/** v1.PodExecOptions, which clients send as query parameters of `pods/<name>/exec`. */
export interface PodExecOptions extends PodAttachOptions {
	readonly command: readonly string[];
}

/** The names of the fields of {@link PodAttachOptions}, as query parameters, with their types. */
export const ATTACH_PARAMETERS = {
	container: 'string',
	stderr: 'boolean',
	stdin: 'boolean',
	stdout: 'boolean',
	tty: 'boolean',
} as const;

/** The same for {@link PodExecOptions}. */
export const EXEC_PARAMETERS = { command: 'string', ...ATTACH_PARAMETERS } as const;

/**
 * What is wrong with the options, for a BadRequest; undefined if they are valid. The message about streams is that
 * of upstream's kubelet (remotecommand.NewOptions), the one about the command is kubectl's.
 */
export function execProblem(options: PodExecOptions): string | undefined {
	if (options.command.length === 0) return 'you must specify at least one command for the container';
	return attachProblem(options);
}

/** The same for the options of attach. */
export function attachProblem({ stdin, stdout, stderr }: PodAttachOptions): string | undefined {
	return stdin || stdout || stderr ? undefined : 'you must specify at least 1 of stdin, stdout, stderr';
}

/** The Status that ends a session which has reached its end. */
export const SUCCESS: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };

/**
 * The result of a command as the Status that ends a session. Clients take the exit code from its cause, and not
 * from the message (upstream: kubelet's remotecommand.ServeExec).
 */
export function exitStatus(command: readonly string[], exitCode: number): Status {
	if (exitCode === 0) return SUCCESS;
	const text = `error executing command [${command.join(' ')}], exit code ${exitCode}`;
	return {
		kind: 'Status',
		apiVersion: 'v1',
		metadata: {},
		status: 'Failure',
		message: `command terminated with non-zero exit code: ${text}`,
		reason: 'NonZeroExitCode',
		details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
	};
}
