import { pods } from '../../api/core/pod/definition.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import { pathOf } from '../../client/client.ts';
import { calledAs } from '../called-as.ts';
import { type CliContext, CommandError } from '../context.ts';
import { joinSession } from '../streams/join-session.ts';
import { exitCodeOfSession } from '../streams/session-exit.ts';
import { ATTACH_NOTICES, inputOf, streamQuery } from '../streams/stream-flags.ts';
import { streamedContainer, streamedPod, waitOf } from '../streams/stream-pod.ts';
import type { StreamFlags } from './exec.ts';

/** `stint attach (POD | TYPE/NAME)`: connects to the main process of a container. Resolves to the exit code. */
export async function attach(
	context: CliContext,
	words: readonly string[],
	flags: StreamFlags,
): Promise<number> {
	const [first, second] = words;
	if (first === undefined) throw new CommandError('at least 1 argument is required for attach');
	if (words.length > 2)
		throw new CommandError(
			`expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw ${words.length}: [${words.join(' ')}]`,
		);
	const waitMs = waitOf('attach', flags.podRunningTimeout);
	const connection = await context.connect(flags.kubeconfig);
	const namespace = flags.namespace ?? connection.namespace;
	const word = second === undefined ? first : `${first}/${second}`;
	const pod = await streamedPod(context, connection, { word, namespace, waitMs });
	if (hasEnded(pod))
		throw new CommandError(
			`cannot attach a container in a completed pod; current phase is ${pod.status.phase}`,
		);
	const notify = (text: string): void => {
		if (!flags.quiet) context.stderr.print(`${text}\n`);
	};
	const { name: container, tty: hasTerminal = false } = streamedContainer(pod, flags.container, notify);
	if (flags.tty && !hasTerminal)
		notify(`error: Unable to use a TTY - container ${container} did not allocate one`);
	const { stdin, tty } = inputOf(context, { ...flags, tty: hasTerminal }, notify);
	for (const text of ATTACH_NOTICES) notify(text);
	const session = await connection.client.transport.duplex({
		method: 'GET',
		path: `${pathOf(pods, pod.metadata.namespace)}/${pod.metadata.name}/attach`,
		query: { container, ...streamQuery({ stdin, tty }) },
	});
	const end = await joinSession(session, context.rawStreams, { stdin, tty, redraws: true });
	const code = exitCodeOfSession(end);
	if (tty && !flags.quiet) {
		const { name } = pod.metadata;
		const again = `${calledAs('attach')} ${name} -c ${container} -n ${pod.metadata.namespace} -i -t`;
		context.stdout.print(`Session ended, resume using '${again}' command\n`);
	}
	return code;
}
