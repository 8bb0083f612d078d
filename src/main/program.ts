import { Command } from 'commander';
import { calledAs } from '../cli/called-as.ts';
import { registerCommands } from '../cli/commands.ts';
import type { CliContext } from '../cli/context.ts';
import { CLIENT_COMMANDS, LARGE_COMMANDS } from './client-commands.ts';
import { registerRegistryCommand } from './registry/registry-command.ts';
import { registerServerCommand } from './server-command.ts';
import { VERSION } from './version.ts';

/**
 * commander wraps descriptions only in columns of 40 or more; beside our longest flag, 80 columns leave less.
 */
const NARROWEST_HELP = 20;

/** The commands that are not in cli/. */
const SERVER = 'server';
const REGISTRY = 'registry';

/**
 * The commands of stint with their flags. Calls `finish` with the exit code of the command that ran. If `first`, the
 * first argument, is the name of a command, the program has no other.
 */
export function makeProgram(context: CliContext, finish: (code: number) => void, first?: string): Command {
	const program = new Command(calledAs())
		.description('Runs Kubernetes Jobs without a Kubernetes cluster.')
		.configureHelp({ minWidthToWrap: NARROWEST_HELP })
		.version(VERSION);
	const only = [SERVER, REGISTRY, ...LARGE_COMMANDS, ...CLIENT_COMMANDS].find((name) => name === first);
	if (only === undefined || only === SERVER) registerServerCommand(program);
	if (only === undefined || only === REGISTRY) registerRegistryCommand(program);
	if (only !== SERVER && only !== REGISTRY) registerCommands(program, context, { finish, only });
	// At the end: the commands would take it over.
	program.showHelpAfterError(`hint: the commands are listed by: ${calledAs('--help')}`);
	return program;
}

/**
 * The arguments, with `help create job` replaced by `create job --help`, and so `create help job`: commander's own help
 * command reads one word only. Words that name no command are left to it.
 */
export function withHelpFlag(program: Command, args: readonly string[]): readonly string[] {
	const at = args.indexOf('help');
	const group = at < 0 ? undefined : commandAt(program, args.slice(0, at));
	if (!group || group.commands.length === 0) return args;
	const words = args.slice(at + 1);
	if (words.length === 0 || !commandAt(group, words)) return args;
	return [...args.slice(0, at), ...words, '--help'];
}

/** The flags that all commands of cli/ have, with a value: `-n jobs`, `-njobs` or `--namespace=jobs`. */
const COMMON_FLAGS = /^(?:-n|--namespace|--kubeconfig)$/;
const COMMON_FLAGS_WITH_VALUE = /^(?:-n.|--(?:namespace|kubeconfig)=)/;

/** The arguments, with flags that all commands have moved from before the command to behind it: kubectl takes `-n jobs get pods`. */
export function withFlagsBehind(args: readonly string[]): readonly string[] {
	let count = 0;
	for (let next = args[0]; next !== undefined; next = args[count])
		if (COMMON_FLAGS_WITH_VALUE.test(next)) count += 1;
		else if (COMMON_FLAGS.test(next) && args.length > count + 1) count += 2;
		else break;
	const [flags, words] = [args.slice(0, count), args.slice(count)];
	if (words.length === 0) return args;
	const end = words.includes('--') ? words.indexOf('--') : words.length;
	return [...words.slice(0, end), ...flags, ...words.slice(end)];
}

function commandAt(program: Command, words: readonly string[]): Command | undefined {
	let command: Command | undefined = program;
	for (const word of words)
		command = command?.commands.find((each) => each.name() === word || each.aliases().includes(word));
	return command;
}
