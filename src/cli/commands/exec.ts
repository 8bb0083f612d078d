import { pods } from '../../api/core/pod/definition.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import { pathOf } from '../../client/client.ts';
import { type CliContext, CommandError, type CommonFlags } from '../context.ts';
import { joinSession } from '../streams/join-session.ts';
import { exitCodeOfSession } from '../streams/session-exit.ts';
import { type InputFlags, inputOf, streamQuery } from '../streams/stream-flags.ts';
import { streamedContainer, streamedPod, waitOf } from '../streams/stream-pod.ts';

/** The flags of `exec` and `attach`. */
export interface StreamFlags extends CommonFlags, InputFlags {
	readonly container?: string;
	readonly quiet?: boolean;
	readonly podRunningTimeout?: string;
}

/** What `exec` was called with: a Pod, and after `--` the command. */
export interface ExecArguments {
	readonly target: readonly string[];
	readonly command: readonly string[];
}

/** `stint exec (POD | TYPE/NAME) -- COMMAND`: runs a command in a container. Resolves to its exit code. */
export async function exec(
	context: CliContext,
	{ target, command }: ExecArguments,
	flags: StreamFlags,
): Promise<number> {
	const [word, ...more] = target;
	if (word === undefined) throw new CommandError('pod, type/name or --filename must be specified');
	if (more.length > 0)
		throw new CommandError(
			'exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead',
		);
	if (command.length === 0) throw new CommandError('you must specify at least one command for the container');
	const waitMs = waitOf('exec', flags.podRunningTimeout);
	const connection = await context.connect(flags.kubeconfig);
	const namespace = flags.namespace ?? connection.namespace;
	const pod = await streamedPod(context, connection, { word, namespace, waitMs });
	if (hasEnded(pod))
		throw new CommandError(
			`cannot exec into a container in a completed pod; current phase is ${pod.status.phase}`,
		);
	const notify = (text: string): void => {
		if (!flags.quiet) context.stderr.print(`${text}\n`);
	};
	const { name: container } = streamedContainer(pod, flags.container, notify);
	const { stdin, tty } = inputOf(context, flags, notify);
	const session = await connection.client.transport.duplex({
		method: 'GET',
		path: `${pathOf(pods, pod.metadata.namespace)}/${pod.metadata.name}/exec`,
		query: { command, container, ...streamQuery({ stdin, tty }) },
	});
	const code = exitCodeOfSession(await joinSession(session, context.rawStreams, { stdin, tty }));
	if (code !== 0) context.stderr.print(`command terminated with exit code ${code}\n`);
	return code;
}
