import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from 'commander';
import { registerCommands } from '../cli/commands.ts';
import { cliContext } from './cli-context.ts';
import { CLIENT_COMMANDS } from './client-commands.ts';

test('every command that starts no server runs from the small bundle', () => {
	const program = new Command();
	registerCommands(program, cliContext(), { finish: () => {}, only: undefined });
	const names = program.commands.map((command) => command.name());
	assert.deepEqual(names.filter((name) => name !== 'run').sort(), [...CLIENT_COMMANDS].sort());
});
