import { Command } from 'commander';
import { calledAs } from '../cli/called-as.ts';
import { registerCommands } from '../cli/commands.ts';
import type { CliContext } from '../cli/context.ts';
import { kubeconfigPaths } from './cli-context.ts';
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
	program.showHelpAfterError(`hint: ${hintFor(first)}`);
	return program;
}

/** The commands of kubectl that stint does not have. */
const OF_KUBECTL: ReadonlySet<string> = new Set(
	`annotate api-resources api-versions autoscale certificate cluster-info config cordon debug diff drain edit events explain kustomize
	label patch replace taint uncordon version wait`.split(/\s+/),
);

/** What an error with an unknown command is followed by. */
function hintFor(word = ''): string {
	if (!OF_KUBECTL.has(word)) return `the commands are listed by: ${calledAs('--help')}`;
	const [path = ''] = kubeconfigPaths(undefined);
	return `"kubectl ${word}" works with the server of stint, whose kubeconfig is ${path}`;
}
