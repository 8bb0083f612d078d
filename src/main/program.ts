import { Command } from 'commander';
import { calledAs } from '../cli/called-as.ts';
import { registerCommands } from '../cli/commands.ts';
import type { CliContext } from '../cli/context.ts';
import { registerServerCommand } from './server-command.ts';
import { VERSION } from './version.ts';

/**
 * commander wraps descriptions only in columns of 40 or more; beside our longest flag, 80 columns leave less.
 */
const NARROWEST_HELP = 20;

/** All commands of stint with their flags. Calls `finish` with the exit code of the command that ran. */
export function makeProgram(context: CliContext, finish: (code: number) => void): Command {
	const program = new Command(calledAs())
		.description('Runs Kubernetes Jobs without a Kubernetes cluster.')
		.configureHelp({ minWidthToWrap: NARROWEST_HELP })
		.version(VERSION);
	registerServerCommand(program);
	registerCommands(program, context, finish);
	return program;
}
