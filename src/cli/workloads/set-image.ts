import type { PodSpec } from '../../api/core/pod/schema.ts';
import { podIn } from '../../plan/pod/fields/advice.ts';
import { displayName } from '../args/resource-args.ts';
import { type CliContext, CommandError } from '../context.ts';
import { type ChoiceFlags, type NamedObject, namedObjects } from './named-objects.ts';

/** `stint set image TYPE/NAME CONTAINER=IMAGE...`: changes images of containers. Resolves to the exit code. */
export async function setImage(
	context: CliContext,
	words: readonly string[],
	flags: ChoiceFlags,
): Promise<number> {
	const pairs = words.filter((word) => word.includes('='));
	const images = new Map(
		pairs.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
	);
	if (images.size === 0) throw new CommandError('at least one image update is required');
	const connection = await context.connect(flags.kubeconfig);
	const found = await namedObjects(
		connection,
		words.filter((word) => !word.includes('=')),
		flags,
	);
	for (const each of found) {
		const patch = imagePatch(each, images);
		if (!patch) continue;
		const { name = '', namespace } = each.object.metadata;
		await connection.client.resource(each.definition, namespace).patch(name, 'strategic', patch);
		context.stdout.print(`${displayName(each.definition, each.object)} image updated\n`);
	}
	return 0;
}

/** The patch that changes the images; undefined if they are as wanted. The name `*` stands for all containers. */
function imagePatch({ object }: NamedObject, images: ReadonlyMap<string, string>): object | undefined {
	const described = podIn(object);
	if (!described)
		throw new CommandError(`could not find a Pod template in ${object.kind}/${object.metadata.name}`);
	const { spec } = described.pod;
	const all = [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name);
	for (const name of images.keys())
		if (name !== '*' && !all.includes(name))
			throw new CommandError(`unable to find container named "${name}"`);
	const changed = (containers: PodSpec['containers'] = []): readonly object[] =>
		containers.flatMap(({ name, image }) => {
			const wanted = images.get(name) ?? images.get('*');
			return wanted === undefined || wanted === image ? [] : [{ name, image: wanted }];
		});
	const [containers, initContainers] = [changed(spec.containers), changed(spec.initContainers)];
	if (containers.length + initContainers.length === 0) return undefined;
	const part = {
		...(containers.length > 0 && { containers }),
		...(initContainers.length > 0 && { initContainers }),
	};
	// `spec.template.` becomes { spec: { template: { spec: part } } }.
	return [...described.prefix.split('.').filter(Boolean), 'spec'].reduceRight<object>(
		(inner, field) => ({ [field]: inner }),
		part,
	);
}
