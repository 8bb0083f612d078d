import { objectMetaSchema } from '../meta/object-meta.ts';
import {
	int32,
	list,
	map,
	mapList,
	object,
	optional,
	quantity,
	required,
	setList,
	string,
	time,
} from '../schema/schema.ts';

const strategySchema = object('test.Strategy', 's', {
	type: optional(string, 't'),
	rolling: optional(map(string), 'r'),
});

/** A small kind for the tests of patches, with one field for each way in which patches merge. */
const itemSchema = object('test.Item', 'An item.', {
	name: required(string, 'Merge key.'),
	image: optional(string, 'Text.'),
	args: optional(list(string), 'Replaced whole.'),
	limits: optional(map(quantity), 'A map.'),
	env: optional(
		mapList(object('test.Env', 'e', { name: required(string, 'n'), value: optional(string, 'v') }), ['name']),
		'Nested.',
	),
});

const volumeSchema = object('test.Volume', 'A volume.', {
	name: required(string, 'Merge key.'),
	a: optional(object('test.A', 'a', { x: optional(int32, 'x') }), 'One source.'),
	b: optional(object('test.B', 'b', { y: optional(int32, 'y') }), 'Another source.'),
});

/** Schema of the test kind. */
export const thingSchema = object('test.Thing', 'A thing.', {
	kind: optional(string, 'Kind.'),
	metadata: optional(objectMetaSchema, 'Metadata.'),
	size: optional(int32, 'A number.'),
	started: optional(time, 'A time.'),
	items: optional(mapList(itemSchema, ['name']), 'Merged by name.'),
	ports: optional(
		mapList(
			object('test.Port', 'p', { port: required(int32, 'p'), protocol: optional(string, 'p') }),
			['port', 'protocol'],
			{
				mergeKey: 'port',
			},
		),
		'Merged by port, kept apart by protocol too.',
	),
	volumes: optional(
		mapList(volumeSchema, ['name'], { retainKeys: true }),
		'Merged, and what is not named goes.',
	),
	names: optional(setList(string, { patch: 'merge' }), 'Merged by value.'),
	codes: optional(setList(int32), 'Replaced, although others merge it.'),
	rules: optional(list(itemSchema), 'Replaced whole.'),
	replaced: optional(mapList(itemSchema, ['name'], { patch: 'replace' }), 'Merged by others only.'),
	strategy: optional({ ...strategySchema, retainKeys: true }, 'What is not named goes.'),
});
