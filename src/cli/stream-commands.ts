import type { Command } from 'commander';
import type { CliContext } from './context.ts';

/** How a command's work is run; see registerCommands. */
export type Perform = (work: () => Promise<unknown>) => Promise<void>;

const NO_VALUES = { filename: [], env: [], labelColumns: [] };

/** Registers the commands that connect to containers and ports. `command` makes a command with the common flags. */
export function registerStreamCommands(
	command: (name: string, description: string) => Command,
	context: CliContext,
	perform: Perform,
): void {
	const exec = withStreamFlags(command('exec', 'run a command in a container'))
		.usage('(POD | TYPE/NAME) [flags] -- COMMAND [args...]')
		.argument('[words...]', 'Pod or job/NAME; after -- the command and its arguments');
	exec.action((words: string[], flags) =>
		perform(async () =>
			(await import('./commands/exec.ts')).exec(context, splitAtDashes(exec, words), {
				...NO_VALUES,
				...flags,
			}),
		),
	);
	withStreamFlags(command('attach', 'connect to the main process of a container'))
		.argument('[words...]', 'POD, TYPE/NAME or TYPE NAME')
		.action((words: string[], flags) =>
			perform(async () => (await import('./commands/attach.ts')).attach(context, words, flags)),
		);
	command('cp', 'copy files and folders to and from containers, which must have tar')
		.argument('[words...]', 'SRC DEST: PATH here, or [NAMESPACE/]POD:PATH')
		.option('-c, --container <name>', 'container (default: the first one of the Pod)')
		.action((words: string[], flags) =>
			perform(async () => (await import('./commands/cp.ts')).cp(context, words, flags)),
		);
	command('port-forward', 'forward ports of this machine to a Pod')
		.argument('[words...]', 'POD or TYPE/NAME, then ports: 8080, 8888:80, :80')
		.option('--address <addresses>', 'addresses to listen on, separated by commas', 'localhost')
		.option(...RUNNING_TIMEOUT)
		.action((words: string[], flags) =>
			perform(async () => (await import('./commands/port-forward.ts')).portForward(context, words, flags)),
		);
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
function splitAtDashes(
	command: Command,
	words: readonly string[],
): { readonly target: readonly string[]; readonly command: readonly string[] } {
	const line: unknown = Reflect.get(command.parent ?? {}, 'rawArgs');
	const all: readonly unknown[] = Array.isArray(line) ? line : [];
	const dashes = all.indexOf('--');
	const split = words.length - (dashes < 0 ? 0 : all.length - dashes - 1);
	return { target: words.slice(0, split), command: words.slice(split) };
}
