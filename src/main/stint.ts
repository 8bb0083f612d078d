import { Command } from 'commander';
import { registerServerCommand } from './server-command.ts';
import { VERSION } from './version.ts';

/** The program: reads the command line and runs one verb. */
const program = new Command('stint')
	.description('Runs Kubernetes Jobs without a Kubernetes cluster.')
	.version(VERSION);
registerServerCommand(program);
await program.parseAsync();
