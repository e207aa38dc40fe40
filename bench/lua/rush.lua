-- Everybody wants a seat of one train. Each request asks for a random seat among those that this
-- client has not yet seen booked, for the next user; a lock that succeeds is confirmed. When all are
-- booked, it goes on asking for `after` seconds, and every reply must have the status `refused`.
-- Writes acknowledgements as sale.lua does.
local requests = require("requests")

results = {"unexpected", "sales", "started", "soldout", "refusals", "refusing"}
unexpected, sales, refusals, refusing = 0, 0, 0, 0
started, soldout = 0, 0 -- times; soldout is when this client has seen every seat booked

local a, tokens, train, lock, confirm, acks
local user, sent, finished = 0, 0, false
local pending = {}
local queue, head, tail = {}, 1, 1
local wanted, at = {}, {} -- the seats not seen booked, and where each of them is in that list

function init(args)
	a = requests.arguments(args)
	tokens, train = requests.lines(a.tokens), requests.lines(a.trains)[1]
	lock, confirm = requests.post("/train/book-ticket/"), requests.post("/train/confirm-booking/")
	acks = io.open(a.acks, "w")
	acks:setvbuf("full", 65536)
	for seat = 1, a.capacity do wanted[seat], at[seat] = seat, seat end
	user = a.first * 331 -- several clients begin with different users
	math.randomseed(a.first + 1)
end

local function send(make, to, body, what)
	sent = sent + 1
	local id = "r" .. sent
	pending[id] = what
	return make(tokens[to], body, id)
end

local begun = false

function request()
	if not begun then -- wrk does not send the first request: it only looks at it
		begun = true
		return requests.get("/readyz")
	end
	if started == 0 then started = requests.now() end
	if head < tail then
		local held = queue[head]
		queue[head], head = nil, head + 1
		held.kind = "book"
		return send(confirm, held.user, '{"seat_id":"' .. held.id .. '"}', held)
	end
	local seat = #wanted > 0 and wanted[math.random(#wanted)] or math.random(a.capacity)
	user = user % #tokens + 1
	return send(lock, user, '{"train_id":"' .. train .. '","seat_number":' .. seat .. "}",
		{kind = "lock", user = user, seat = seat, late = soldout > 0})
end

-- booked removes a seat from those that are wanted.
local function booked(seat)
	local i = at[seat]
	if not i then return end
	local last = wanted[#wanted]
	wanted[i], at[last] = last, i
	wanted[#wanted], at[seat] = nil, nil
	if #wanted == 0 then soldout = requests.now() end
end

local function unexpected_reply(status, what, body)
	unexpected = unexpected + 1
	if unexpected == 1 then print("unexpected", status, what and what.kind, body) end
end

local function acknowledge(what)
	acks:write(what.kind, " ", what.user, " ", what.id, " ", string.format("%.6f", requests.now()), "\n")
end

-- refuse counts a reply to a request that was sent after the train was sold out.
local function refuse(status, what, body)
	if status ~= a.refused or status == 409 and not body:find('"seat_booked"', 1, true) then
		return unexpected_reply(status, what, body)
	end
	refusals = refusals + 1
	refusing = requests.now() - soldout
	if refusing >= a.after and not finished then
		finished = true
		requests.finish()
	end
end

function response(status, headers, body)
	local id = headers["X-Request-Id"]
	local what = id and pending[id]
	if not what then return unexpected_reply(status, what, body) end
	pending[id] = nil
	if what.late then return refuse(status, what, body) end
	if what.kind == "book" then
		if status ~= 200 then return unexpected_reply(status, what, body) end
		sales = sales + 1
		acknowledge(what)
		return booked(what.seat)
	end
	if status == 200 then
		what.id = body:match('"seat_id":"([%x-]+)"')
		queue[tail], tail = what, tail + 1
		return acknowledge(what)
	end
	if status ~= 409 then return unexpected_reply(status, what, body) end
	if body:find('"seat_booked"', 1, true) then booked(what.seat) end
end
