import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from 'commander';
import { registerCommands } from '../cli/commands.ts';
import { cliContext } from './cli-context.ts';
import { CLIENT_COMMANDS, LARGE_COMMANDS } from './client-commands.ts';

test('every command runs from one of the two bundles', () => {
	const program = new Command();
	registerCommands(program, cliContext(), { finish: () => {}, only: undefined });
	const names = program.commands.map((command) => command.name());
	assert.deepEqual(names.sort(), [...CLIENT_COMMANDS, ...LARGE_COMMANDS].sort());
});
