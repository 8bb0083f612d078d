import { Command } from 'commander';
import { calledAs } from '../cli/called-as.ts';
import { registerCommands } from '../cli/commands.ts';
import type { CliContext } from '../cli/context.ts';
import { registerServerCommand } from './server-command.ts';
import { VERSION } from './version.ts';

/** The longest flag leaves less room than commander takes for worth wrapping in 80 columns. */
const NARROWEST_HELP = 20;

/** All commands of stint with their flags. `finish` is told the exit code of the one that was performed. */
export function makeProgram(context: CliContext, finish: (code: number) => void): Command {
	const program = new Command(calledAs())
		.description('Runs Kubernetes Jobs without a Kubernetes cluster.')
		.configureHelp({ minWidthToWrap: NARROWEST_HELP })
		.version(VERSION);
	registerServerCommand(program);
	registerCommands(program, context, finish);
	return program;
}
