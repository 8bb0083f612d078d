import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import type { Perform } from './perform.ts';

/** The flags of the commands that connect to containers and ports; commands.ts lists them. */

const NO_VALUES = { filename: [], env: [], labelColumns: [] };

/** Adds the flags of `exec` and its action. */
export function registerExec(command: Command, context: CliContext, perform: Perform): void {
	withStreamFlags(command)
		.usage('(POD | TYPE/NAME) [flags] -- COMMAND [args...]')
		.argument('[words...]', 'Pod or job/NAME; after -- the command and its arguments')
		.action((words: string[], flags) =>
			perform(async () =>
				(await import('./commands/exec.ts')).exec(context, splitAtDashes(command, words), {
					...NO_VALUES,
					...flags,
				}),
			),
		);
}

/** Adds the flags of `attach` and its action. */
export function registerAttach(command: Command, context: CliContext, perform: Perform): void {
	withStreamFlags(command)
		.argument('[words...]', 'POD, TYPE/NAME or TYPE NAME')
		.action((words: string[], flags) =>
			perform(async () => (await import('./commands/attach.ts')).attach(context, words, flags)),
		);
}

/** Adds the flags of `cp` and its action. */
export function registerCp(command: Command, context: CliContext, perform: Perform): void {
	command
		.argument('[words...]', 'SRC DEST: PATH here, or [NAMESPACE/]POD:PATH')
		.option('-c, --container <name>', 'container (default: the first one of the Pod)')
		.action((words: string[], flags) =>
			perform(async () => (await import('./commands/cp.ts')).cp(context, words, flags)),
		);
}

/** Adds the flags of `port-forward` and its action. */
export function registerPortForward(command: Command, context: CliContext, perform: Perform): void {
	command
		.argument('[words...]', 'POD or TYPE/NAME, then ports: 8080, 8888:80, :80')
		.option('--address <addresses>', 'addresses to listen on, separated by commas', 'localhost')
		.option(...RUNNING_TIMEOUT)
		.action((words: string[], flags) =>
			perform(async () => (await import('./commands/port-forward.ts')).portForward(context, words, flags)),
		);
}

/** Adds the flags of `proxy` and its action. */
export function registerProxy(command: Command, context: CliContext, perform: Perform): void {
	command
		.addOption(
			command
				.createOption('-p, --port <number>', 'port to listen on; 0: any free one')
				.default('8001', '8001'),
		)
		.option('--address <ip>', 'loopback address to listen on', '127.0.0.1')
		.option('--api-prefix <path>', 'serve the API below this path', '/')
		.option(
			'--accept-hosts <regexps>',
			'accept only requests whose Host header matches one of these',
			'^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$',
		)
		.option('--accept-paths <regexps>', 'accept only requests for paths that match one of these', '^.*')
		.option(
			'--reject-paths <regexps>',
			'reject requests for paths that match one of these',
			'^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach',
		)
		.option('--reject-methods <regexps>', 'reject requests whose method matches one of these', '^$')
		.action((flags) => perform(async () => (await import('./commands/proxy.ts')).proxy(context, flags)));
}

const RUNNING_TIMEOUT = [
	'--pod-running-timeout <time>',
	'longest time to wait for a Pod of a Job, such as 5s or 2m (default: 1m0s)',
] as const;

function withStreamFlags(command: Command): Command {
	return command
		.option('-c, --container <name>', 'container (default: the first one of the Pod)')
		.option('-i, --stdin', 'pass standard input to the container')
		.option('-t, --tty', 'standard input is a terminal')
		.option('-q, --quiet', 'print only the output of the container')
		.option(...RUNNING_TIMEOUT);
}

/** The words before and after `--`. commander does not tell them apart, and keeps the command line in `rawArgs`. */
export function splitAtDashes(
	command: Command,
	words: readonly string[],
): { readonly target: readonly string[]; readonly command: readonly string[] } {
	let root = command;
	while (root.parent) root = root.parent;
	const line: unknown = Reflect.get(root, 'rawArgs');
	const all: readonly unknown[] = Array.isArray(line) ? line : [];
	const dashes = all.indexOf('--');
	const split = words.length - (dashes < 0 ? 0 : all.length - dashes - 1);
	return { target: words.slice(0, split), command: words.slice(split) };
}
