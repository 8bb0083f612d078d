import type { Clock } from '../../src/base/clock.ts';
import type { Random } from '../../src/base/random.ts';

/** A message of a queue: one unit of work. */
export interface Message {
	readonly kind: 'message';
	readonly id: string;
	readonly body: string;
	readonly creationTimestamp: string;
}

interface Queue {
	messages: Message[];
	enqueued: number;
	dequeued: number;
	drained: number;
}

/** An invalid request: a queue does not exist, or exists already. */
export class QueueError extends Error {
	override readonly name = 'QueueError';
}

/** FIFO queues in memory. Every method throws a {@link QueueError} for a queue that does not exist. */
export class QueueBroker {
	readonly #queues = new Map<string, Queue>();
	readonly #clock: Clock;
	readonly #random: Random;

	constructor(clock: Clock, random: Random) {
		this.#clock = clock;
		this.#random = random;
	}

	/** Creates a queue; throws a {@link QueueError} if it exists. */
	create(name: string): void {
		if (this.#queues.has(name)) throw new QueueError(`queue ${name} already exists`);
		this.#queues.set(name, { messages: [], enqueued: 0, dequeued: 0, drained: 0 });
	}

	delete(name: string): void {
		this.#get(name);
		this.#queues.delete(name);
	}

	enqueue(name: string, body: string): Message {
		const queue = this.#get(name);
		const creationTimestamp = new Date(this.#clock.now()).toISOString();
		const message: Message = { kind: 'message', id: this.#random.uuid(), body, creationTimestamp };
		queue.messages.push(message);
		queue.enqueued++;
		return message;
	}

	/** Removes and returns the oldest message; undefined if the queue is empty. */
	dequeue(name: string): Message | undefined {
		const queue = this.#get(name);
		const message = queue.messages.shift();
		if (message) queue.dequeued++;
		return message;
	}

	drain(name: string): void {
		const queue = this.#get(name);
		queue.drained += queue.messages.length;
		queue.messages = [];
	}

	/** Statistics of each queue. */
	stats(): unknown {
		const queues = Array.from(this.#queues, ([name, { messages, enqueued, dequeued, drained }]) => {
			return { name, depth: messages.length, enqueued, dequeued, drained };
		});
		return { kind: 'stats', queues };
	}

	#get(name: string): Queue {
		const queue = this.#queues.get(name);
		if (!queue) throw new QueueError(`there is no queue ${name}`);
		return queue;
	}
}
