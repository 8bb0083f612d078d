import { calledAs } from './called-as.ts';

/** The text that `stint` prints without a command: one sentence about stint, and the first commands to try. */
export function firstUse(): string {
	const width = calledAs(FIRST_COMMANDS[0][0]).length;
	const lines = FIRST_COMMANDS.map(([words, what]) => {
		const command = calledAs(words);
		const left = command.length > width ? `${command}\n  ${' '.repeat(width)}` : command.padEnd(width);
		return `  ${left}  ${what}\n`;
	});
	return `stint runs Kubernetes Jobs without a Kubernetes cluster.

${lines.join('')}
All commands: ${calledAs('--help')}
Options of a command: ${calledAs('COMMAND --help')}
`;
}

/**
 * The length of the first command is the width of the column; longer commands break the line after
 * themselves.
 */
const FIRST_COMMANDS = [
	['run -f job.yaml', 'run the Jobs of a manifest and print their logs'],
	['run hello --image=busybox --command -- echo hello', 'run a Job made from flags'],
	['server', 'serve the Kubernetes API, for kubectl and programs'],
	['get jobs', 'list the Jobs on a running server'],
] as const;
