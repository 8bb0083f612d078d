import type { Dice } from '../simulation/dice.ts';
import { type Json, strangeText, strangeValue } from './values.ts';

/** A place in a JSON value: a list or map, and the index or name in it. */
interface Place {
	readonly parent: Json[] | { [name: string]: Json };
	readonly key: string;
}

/** Fields that determine the number of Pods. They stay small, because running Pods is not under test here. */
const KEPT_SMALL = new Set(['parallelism', 'completions']);

/** Mutates a few places of `value` in place. */
export function mutate(dice: Dice, value: Json): void {
	const places = [...placesOf(value)];
	if (places.length === 0) return;
	const count = dice.chance(0.1) ? dice.between(5, 30) : dice.between(1, 3);
	for (let index = 0; index < count; index++) {
		const place = places[dice.between(0, places.length - 1)];
		if (place) change(dice, place);
	}
}

function* placesOf(value: Json): Iterable<Place> {
	if (value === null || typeof value !== 'object') return;
	for (const key of Object.keys(value)) {
		yield { parent: value, key };
		yield* placesOf(at(value, key));
	}
}

function at(parent: Place['parent'], key: string): Json {
	return (Array.isArray(parent) ? parent[Number(key)] : parent[key]) ?? null;
}

function change(dice: Dice, { parent, key }: Place): void {
	const kind = KEPT_SMALL.has(key) ? -1 : dice.between(0, 5);
	if (kind === -1) set(parent, key, dice.between(-1, 20));
	else if (kind === 0) remove(parent, key);
	else if (kind === 1) set(parent, dice.chance(0.5) ? strangeText(dice) : `${key}x`, at(parent, key));
	else if (kind === 2) duplicate(parent, key);
	else set(parent, key, strangeValue(dice));
}

function set(parent: Place['parent'], key: string, value: Json): void {
	// Defined, not assigned: assigning to `__proto__` would replace the prototype.
	if (Array.isArray(parent)) parent[Number(key) || 0] = value;
	else Object.defineProperty(parent, key, { value, enumerable: true, writable: true, configurable: true });
}

function remove(parent: Place['parent'], key: string): void {
	if (Array.isArray(parent)) parent.splice(Number(key), 1);
	else delete parent[key];
}

function duplicate(parent: Place['parent'], key: string): void {
	const copy = structuredClone(at(parent, key));
	if (Array.isArray(parent)) parent.push(copy);
	else set(parent, `${key}2`, copy);
}

/** Returns a damaged copy of bytes: truncated, overwritten, with an insertion, or with a repetition. */
export function damage(dice: Dice, bytes: Uint8Array): Uint8Array {
	const copy = Uint8Array.from(bytes);
	const where = dice.between(0, Math.max(0, copy.length - 1));
	switch (dice.between(0, 3)) {
		case 0:
			return copy.subarray(0, where);
		case 1:
			for (let index = 0; index < 4; index++)
				copy[dice.between(0, Math.max(0, copy.length - 1))] = dice.between(0, 255);
			return copy;
		case 2:
			return Buffer.concat([copy.subarray(0, where), Buffer.from(strangeText(dice)), copy.subarray(where)]);
		default:
			return Buffer.concat([copy, copy.subarray(where)]);
	}
}
