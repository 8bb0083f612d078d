import type { Status } from '../../errors/api-error.ts';

/** v1.PodExecOptions, which clients send as query parameters of `pods/<name>/exec`. */
export interface PodExecOptions {
	readonly stdin: boolean;
	readonly stdout: boolean;
	readonly stderr: boolean;
	readonly tty: boolean;
	/** Empty: the only container of the Pod. */
	readonly container: string;
	readonly command: readonly string[];
}

/** The names of the fields of {@link PodExecOptions}, as query parameters, with their types. */
export const EXEC_PARAMETERS = {
	command: 'string',
	container: 'string',
	stderr: 'boolean',
	stdin: 'boolean',
	stdout: 'boolean',
	tty: 'boolean',
} as const;

/**
 * What is wrong with the options, for a BadRequest; undefined if they are valid. The message about streams is that
 * of upstream's kubelet (remotecommand.NewOptions), the one about the command is kubectl's.
 */
export function execProblem({ command, stdin, stdout, stderr }: PodExecOptions): string | undefined {
	if (command.length === 0) return 'you must specify at least one command for the container';
	if (!stdin && !stdout && !stderr) return 'you must specify at least 1 of stdin, stdout, stderr';
	return undefined;
}

/**
 * The result of a command as the Status that ends a session. Clients take the exit code from its cause, and not
 * from the message (upstream: kubelet's remotecommand.ServeExec).
 */
export function exitStatus(command: readonly string[], exitCode: number): Status {
	if (exitCode === 0) return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };
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
