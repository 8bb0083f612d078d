import { applyObject } from './apply-object.ts';
import { type CliContext, CommandError, type CommonFlags } from './context.ts';
import { describeError } from './errors.ts';
import { loadManifests } from './manifest/load.ts';
import { displayName } from './targets.ts';

/** The flags of `apply`. */
export interface ApplyFlags extends CommonFlags {
	readonly filename: readonly string[];
}

/** `stint apply -f`: creates what is missing and changes what differs, as `kubectl apply` does. */
export async function apply(context: CliContext, flags: ApplyFlags): Promise<void> {
	if (flags.filename.length === 0)
		throw new CommandError('must specify -f: a file, a folder, or - for standard input');
	const connection = await context.connect(flags.kubeconfig);
	const objects = await loadManifests(context, flags.filename, flags.namespace ?? connection.namespace);
	for (const [index, checked] of objects.entries()) {
		try {
			const { object, outcome } = await applyObject(connection, checked);
			context.stdout.write(`${displayName(checked.definition, object)} ${outcome}\n`);
		} catch (error) {
			const left = objects.length - index - 1;
			const rest = left > 0 ? `\n${left} further object(s) of the manifest have not been applied` : '';
			const before = index > 0 ? `\nwhat is named above has been applied` : '';
			const { file, positionOf } = checked.document;
			throw new CommandError(`${file.name}:${positionOf('').line}: ${describeError(error)}${before}${rest}`);
		}
	}
}
