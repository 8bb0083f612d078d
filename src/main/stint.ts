import { Command } from 'commander';
import { registerCommands } from '../cli/commands.ts';
import { cliContext } from './cli-context.ts';
import { registerServerCommand } from './server-command.ts';
import { exitDrained, watchStandardStreams } from './standard-streams.ts';
import { VERSION } from './version.ts';

watchStandardStreams();
const program = new Command('stint')
	.description('Runs Kubernetes Jobs without a Kubernetes cluster.')
	.version(VERSION);
registerServerCommand(program);
registerCommands(program, cliContext(), (code) => {
	process.exitCode = code;
});
await program.parseAsync();
// Idle connections of a command that has ended must not delay its end.
if (process.exitCode !== undefined) await exitDrained(Number(process.exitCode));
