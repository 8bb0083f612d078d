/** The flags of the commands about Deployments and other workloads. */

import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import type { Perform } from './perform.ts';

const WORDS = 'resources and names: deployment web, deployment/web rs/x';

/** Adds the flags of `scale`. */
export function registerScale(command: Command, context: CliContext, perform: Perform): void {
	withChoice(command)
		.argument('[words...]', WORDS)
		.option('--replicas <number>', 'number of Pods to keep')
		.option('--current-replicas <number>', 'only if the number is this one now')
		.option('--resource-version <version>', 'only if the object has this version now')
		.action((words: string[], flags) =>
			perform(async () => (await import('./workloads/scale.ts')).scale(context, words, flags)),
		);
}

/** Adds the commands of `rollout`. */
export function registerRollout(command: Command, context: CliContext, perform: Perform): void {
	const load = () => import('./workloads/rollout.ts');
	type Run = (commands: Awaited<ReturnType<typeof load>>, words: string[], flags: object) => Promise<number>;
	const add = (name: string, description: string, run: Run): Command =>
		command
			.command(name)
			.description(description)
			.argument('[words...]', WORDS)
			.option('-l, --selector <labels>', 'only objects that match this label selector')
			.action((words: string[], own) =>
				perform(async () => run(await load(), words, { ...command.opts(), ...own })),
			);
	add('status', 'print how far a rollout is, until it is complete', (all, words, flags) =>
		all.awaitRollout(context, words, flags),
	)
		.option('-w, --watch [true|false]', 'wait until the rollout is complete (default: true)')
		.option('--timeout <time>', 'longest time to wait, such as 30s or 5m (default: no limit)')
		.option('--revision <number>', 'fail if another revision is rolled out');
	add('history', 'print the revisions of a Deployment', (all, words, flags) =>
		all.rolloutHistory(context, words, flags),
	).option('--revision <number>', 'print the template of this revision');
	add('undo', 'roll back to an earlier revision', (all, words, flags) =>
		all.rolloutUndo(context, words, flags),
	).option('--to-revision <number>', 'the revision (default: the previous one)');
	add('pause', 'do not roll out changes until the Deployment is resumed', (all, words, flags) =>
		all.changeRollouts(context, { change: 'pause', words }, flags),
	);
	add('resume', 'roll out the changes of a paused Deployment', (all, words, flags) =>
		all.changeRollouts(context, { change: 'resume', words }, flags),
	);
	add('restart', 'replace all Pods', (all, words, flags) =>
		all.changeRollouts(context, { change: 'restart', words }, flags),
	);
}

/** Adds the commands of `set`. */
export function registerSet(command: Command, context: CliContext, perform: Perform): void {
	withChoice(command.command('image'))
		.description('change the images of containers')
		.argument('[words...]', 'deployment/web CONTAINER=IMAGE..., where * stands for all containers')
		.action((words: string[], own) =>
			perform(async () =>
				(await import('./workloads/set-image.ts')).setImage(context, words, { ...command.opts(), ...own }),
			),
		);
}

function withChoice(command: Command): Command {
	return command
		.option('-l, --selector <labels>', 'only objects that match this label selector')
		.option('--all', 'all objects of the resource');
}
