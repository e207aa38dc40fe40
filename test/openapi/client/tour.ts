// The tour of the README, with the types that are generated from api/openapi.yaml: node tour.js URL
import assert from 'node:assert/strict';
import createClient, { type Middleware } from 'openapi-fetch';
import type { components, paths } from './openapi.js';

type Seats = components['schemas']['SegmentSeats'];
type Changes = components['schemas']['ChangedSeats'];

const client = createClient<paths>({ baseUrl: process.argv[2]! });

// 1. Register.
const asha = { username: 'asha', password: 'correct horse' };
const registration = { ...asha, email: 'asha@example.org', password2: asha.password };
const registered = await client.POST('/user/register/', { body: registration });
assert.equal(registered.data?.message, 'User registered successfully');

const again = await client.POST('/user/register/', { body: registration });
// @ts-expect-error A registration cannot fail with the code of a hold.
assert(again.error?.code !== 'seat_locked');
assert.equal(again.error?.code, 'already_exists');
// @ts-expect-error A registration needs an email address.
await client.POST('/user/register/', { body: { ...asha, password2: asha.password } });

// 2. Log in.
const login = await client.POST('/user/login/', { body: asha });
assert(login.data);
const { access, refresh } = login.data.token;
const authorize: Middleware = {
  onRequest: ({ request }) => request.headers.set('Authorization', `Bearer ${access}`),
};
client.use(authorize);
const me = await client.GET('/v1/users/me');
assert.equal(me.data?.username, 'asha');

// 3. Search for tomorrow.
const now = new Date();
const tomorrow = new Date(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate() + 1)).toISOString().slice(0, 10);
const segment = { source: 'Jaipur', destination: 'Mumbai', date: tomorrow };
const found = await client.GET('/train/get-trains/', { params: { query: segment } });
const train = found.data?.[0];
assert(train);
const seat = train.seat_available[0];
assert(seat);

// 4. Lock the first seat that is free, and see it in the stream of events.
const events = await watch(train.train_id);
const first = JSON.parse(await events.next('seats')) as Seats;
assert.equal(first.train_id, train.train_id);
assert.deepEqual(first.seats.find((s) => s.seat_number === seat), { seat_number: seat, state: 'available' });

const locked = await client.POST('/train/book-ticket/', {
  body: { train_id: train.train_id, seat_number: seat, from: 'Jaipur', to: 'Mumbai' },
});
assert(locked.data);
const change = JSON.parse(await events.next('seat')) as Changes;
assert.deepEqual(change.seats, [{ seat_number: seat, state: 'held' }]);
await events.close();

// 5. Confirm it, and show the booking.
const { seat_id, hold_id } = locked.data;
const booked = await client.POST('/train/confirm-booking/', { body: { seat_id, hold_id } });
assert(booked.data);
const booking = await client.GET('/v1/bookings/{id}', { params: { path: { id: booked.data.booking_id } } });
assert(booking.data);
assert.equal(booking.data.state, 'confirmed');
assert.deepEqual(booking.data.seats, [{ seat_id, seat_number: seat }]);
assert.deepEqual([booking.data.from, booking.data.to], ['Jaipur', 'Mumbai']);
const bookings = await client.GET('/v1/bookings', { params: { query: { limit: 1 } } });
assert.deepEqual(bookings.data?.items, [booking.data]);

// Hold two seats by count, and release them.
const wish = { train_id: train.train_id, from: 'Jaipur', to: 'Mumbai', count: 2 };
const held = await client.POST('/v1/holds', { body: wish, params: { header: { 'Idempotency-Key': 'two' } } });
assert.equal(held.data?.seats.length, 2);
const released = await client.DELETE('/v1/holds/{hold_id}', { params: { path: { hold_id: held.data.hold_id } } });
assert.equal(released.response.status, 204);
// @ts-expect-error A hold is of some seats or of a number of seats.
await client.POST('/v1/holds', { body: { train_id: train.train_id } });

// Only admins create trains; on_sale has a default.
const refused = await client.POST('/v1/trains', {
  body: { name: 'Goa Express', capacity: 120, stops: [{ station: 'Mumbai' }, { station: 'Goa' }] },
});
assert.equal(refused.error?.code, 'forbidden');

// Refresh the tokens, and log out.
assert(refresh);
const refreshed = await client.POST('/user/token/refresh/', { body: { refresh } });
assert(refreshed.data?.refresh);
const out = await client.POST('/user/logout/', { body: { refresh: refreshed.data.refresh } });
assert.equal(out.data?.message, 'Logged out');

/** Opens the stream of events of a train. */
async function watch(id: string) {
  const { data } = await client.GET('/v1/trains/{id}/events', {
    params: { path: { id }, query: { from: 'Jaipur', to: 'Mumbai' } },
    parseAs: 'stream',
  });
  assert(data);
  const reader = data.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    /** Returns the data of the next event, which must have this name. */
    async next(name: components['schemas']['SeatEvent']['event']): Promise<string> {
      for (;;) {
        const [block, ...rest] = text.split('\n\n');
        if (rest.length === 0) {
          const { value, done } = await reader.read();
          assert(!done, 'the stream has ended');
          text += value;
          continue;
        }
        text = rest.join('\n\n');
        const fields = new Map(block!.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
        if (fields.has('event')) {
          assert.equal(fields.get('event'), name);
          return fields.get('data') ?? '';
        }
      }
    },
    close: () => reader.cancel(),
  };
}
