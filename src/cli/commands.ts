import type { Command } from 'commander';
import { type CliContext, CommandError } from './context.ts';

/** Adds a value to those that a repeatable flag has. */
function collect(value: string, values: readonly string[]): readonly string[] {
	return [...values, value];
}

/**
 * Registers the commands that talk to a server. Each is loaded only when it is called, so that none
 * pays for another. `finish` is told the exit code.
 */
export function registerCommands(
	program: Command,
	context: CliContext,
	finish: (code: number) => void,
): void {
	const command = (name: string, description: string): Command =>
		program
			.command(name)
			.description(description)
			.option('--kubeconfig <file>', 'the kubeconfig that leads to the server')
			.option('-n, --namespace <name>', 'the namespace to work in');
	const perform = (work: () => Promise<unknown>): Promise<void> => settle(context, work, finish);
	const files = ['-f, --filename <path>', 'a manifest: a file, a folder, or - for standard input'] as const;

	command('run', 'run Jobs to their end and show what they do')
		.argument('[words...]', 'a name, and after -- the arguments')
		.option(...files, collect, [])
		.option('--image <image>', 'run this image as a Job')
		.option('-i, --stdin', 'show the output as it is and wait for the end')
		.option('--restart <policy>', 'OnFailure or Never', 'OnFailure')
		.option('--command [program]', 'what follows -- is the command, not its arguments')
		.option('--env <name=value>', 'a variable of the environment', collect, [])
		.option('--completions <number>', 'how many Pods must succeed')
		.option('--parallelism <number>', 'how many Pods may run at once')
		.option('--backoff-limit <number>', 'how many failures are borne')
		.action((words: string[], flags) =>
			perform(async () => (await import('./run.ts')).run(context, words, flags)),
		);
	command('apply', 'create or change objects as a manifest says')
		.option(...files, collect, [])
		.action((flags) => perform(async () => (await import('./apply.ts')).apply(context, flags)));
	command('get', 'print objects')
		.argument('<words...>', 'resources and names: jobs, pods,jobs, job/pi, all')
		.option('-o, --output <form>', 'wide, yaml, json or name')
		.option('-w, --watch', 'print every change as well')
		.option('-A, --all-namespaces', 'of all namespaces')
		.option('-l, --selector <labels>', 'only objects with these labels')
		.option('--field-selector <fields>', 'only objects with these fields')
		.option('--no-headers', 'without the headings')
		.action((words: string[], flags) =>
			perform(async () => (await import('./get.ts')).get(context, words, flags)),
		);
	command('describe', 'say all there is to say of objects')
		.argument('<words...>', 'resources and names: job pi, pod/x')
		.option('-l, --selector <labels>', 'only objects with these labels')
		.action((words: string[], flags) =>
			perform(async () => (await import('./describe.ts')).describe(context, words, flags)),
		);
	registerLogs(command('logs', 'print the logs of a Pod or a Job'), context, perform);
	command('delete', 'delete objects with all that depends on them')
		.argument('[words...]', 'resources and names: job pi, pod/x')
		.option(...files, collect, [])
		.option('-l, --selector <labels>', 'all objects with these labels')
		.option('--all', 'all objects of the resource')
		.option('--cascade <how>', 'background, foreground or orphan', 'background')
		.option('--grace-period <seconds>', 'how long Pods may take to end')
		.option('--now', 'the same as --grace-period=1')
		.option('--force', 'do not wait for their processes to end')
		.option('--no-wait', 'do not wait until they are gone')
		.option('--ignore-not-found', 'what is not there is as good as deleted')
		.action((words: string[], flags) =>
			perform(async () => (await import('./delete.ts')).deleteObjects(context, words, flags)),
		);
}

function registerLogs(
	command: Command,
	context: CliContext,
	perform: (work: () => Promise<unknown>) => Promise<void>,
): void {
	command
		.argument('[word]', 'a Pod, or job/NAME')
		.option('-c, --container <name>', 'the container; the first one by default')
		.option('--all-containers', 'of all containers')
		.option('-f, --follow', 'until the containers end')
		.option('-p, --previous', 'of the run before the current one')
		.option('--timestamps', 'with the time of each line')
		.option('--tail <lines>', 'only the last lines')
		.option('--since <time>', 'only what is newer, as 10s, 5m, 1h')
		.option('-l, --selector <labels>', 'of all Pods with these labels')
		.option('--prefix', 'with the Pod of each line')
		.action((word: string | undefined, flags) =>
			perform(async () => (await import('./logs.ts')).logs(context, word, flags)),
		);
}

async function settle(
	context: CliContext,
	work: () => Promise<unknown>,
	finish: (code: number) => void,
): Promise<void> {
	try {
		const code = await work();
		finish(typeof code === 'number' ? code : 0);
	} catch (error) {
		const { describeError } = await import('./errors.ts');
		context.stderr.write(`${describeError(error)}\n`);
		finish(error instanceof CommandError ? error.exitCode : 1);
	}
}
