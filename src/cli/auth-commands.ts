/** The flags of the commands of `auth`. */

import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import type { Perform } from './perform.ts';

/** Adds the commands of `auth`. */
export function registerAuth(command: Command, context: CliContext, perform: Perform): void {
	const load = () => import('./commands/auth.ts');
	command
		.command('can-i')
		.description('print whether an action is allowed; the exit code is 1 if it is not')
		.argument('[words...]', 'VERB TYPE, VERB TYPE/NAME or VERB /PATH')
		.option('-A, --all-namespaces', 'ask about the action in all namespaces')
		.option('-q, --quiet', 'print nothing')
		.option('--subresource <name>', 'ask about a subresource, such as log')
		.option('--list', 'print all that is allowed in the namespace')
		.option('--no-headers', 'with --list: do not print column headings')
		.action((words: string[], own) =>
			perform(async () => (await load()).canI(context, words, { ...command.opts(), ...own })),
		);
	command
		.command('whoami')
		.description('print your user name, groups and other attributes')
		.option('-o, --output <form>', 'output format: json, yaml, jsonpath=TEMPLATE')
		.action((own) => perform(async () => (await load()).whoAmI(context, { ...command.opts(), ...own })));
}
