import { cronjobs } from '../../api/batch/cronjob/definition.ts';
import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { jobs } from '../../api/batch/job/definition.ts';
import { isOfKind } from '../../api/contract/resource-definition.ts';
import type { JsonRecord } from '../../base/json/json.ts';
import { parseTargets } from '../args/resource-args.ts';
import { type CliContext, CommandError } from '../context.ts';
import { type CreateFlags, createNew, type NewObject, oneName } from './new-object.ts';

/** The flags of `create job`. */
export interface CreateJobFlags extends CreateFlags {
	readonly image?: string;
	/** Such as `cronjob/nightly`. */
	readonly from?: string;
}

/** `stint create job NAME [-- COMMAND...]`. Resolves to the exit code. */
export async function createJob(
	context: CliContext,
	{ names, command }: { readonly names: readonly string[]; readonly command: readonly string[] },
	flags: CreateJobFlags,
): Promise<number> {
	const name = oneName(names, 'job');
	const { image = '', from = '' } = flags;
	if ((image === '') === (from === '')) throw new CommandError('either --image or --from must be specified');
	if (command.length > 0 && from !== '') throw new CommandError('cannot specify --from and command');
	const manifest = from === '' ? jobOf(name, image, command) : jobFrom(name, await cronJobAt(context, flags));
	return createNew(context, { definition: jobs, manifest, failure: 'failed to create job: ' }, flags);
}

function jobOf(name: string, image: string, command: readonly string[]): NewObject['manifest'] {
	const container = { name, image, ...(command.length > 0 && { command }), resources: {} };
	const spec = { containers: [container], restartPolicy: 'Never' };
	return { metadata: { name }, spec: { template: { spec } } };
}

async function cronJobAt(context: CliContext, { from = '', ...flags }: CreateJobFlags): Promise<CronJob> {
	const [target, ...others] = parseTargets([from]);
	if (!target?.name) throw new CommandError('resource(s) were provided, but no name was specified');
	if (others.length > 0) throw new CommandError('from must be an existing cronjob');
	const { definition, name } = target;
	const { client, namespace } = await context.connect(flags.kubeconfig);
	const object = await client.resource(definition, flags.namespace ?? namespace).get(name);
	if (isOfKind(object, cronjobs)) return object;
	throw new CommandError(`unknown object type *${goType(definition)}`);
}

/** The Go type of a kind, as kubectl names it: `v1.Pod`. */
function goType({ version, kind }: { readonly version: string; readonly kind: string }): string {
	return `${version}.${kind}`;
}

/** The annotation by which the CronJob's controller and people tell such a Job from a scheduled one. */
const MANUAL = { 'cronjob.kubernetes.io/instantiate': 'manual' };

function jobFrom(name: string, { metadata, spec }: CronJob): NewObject['manifest'] {
	const { metadata: template = {}, spec: jobSpec } = spec.jobTemplate;
	// Upstream does not set blockOwnerDeletion, for which the user would need a further right.
	const owner = {
		apiVersion: 'batch/v1',
		kind: 'CronJob',
		name: metadata.name,
		uid: metadata.uid,
		controller: true,
	};
	const described: JsonRecord = {
		name,
		...(template.labels && { labels: template.labels }),
		annotations: { ...MANUAL, ...template.annotations },
		ownerReferences: [owner],
	};
	return { metadata: described, spec: jobSpec };
}
