-- Locks seats that nobody has asked for and confirms each one as soon as its lock is acknowledged.
-- With `searches`, that many searches of random routes come before each lock. Writes each
-- acknowledgement to the file `acks`: "lock" or "book", the user, the seat's id and the time.
local requests = require("requests")
local seats = require("seats")

results = {"used", "repeated", "unexpected", "sales"}
used, repeated, unexpected, sales = 0, 0, 0, 0

local a, s, lock, confirm, acks
local paths, turn, sent = {}, 0, 0
local pending = {} -- what was asked for, by the id of the request
local queue, head, tail = {}, 1, 1 -- locks that are to be confirmed

function init(args)
	a = requests.arguments(args)
	s = seats.new(a)
	used = s.number
	lock, confirm = requests.post("/train/book-ticket/"), requests.post("/train/confirm-booking/")
	acks = io.open(a.acks, "w")
	acks:setvbuf("full", 65536)
	if a.searches > 0 then
		for i, line in ipairs(requests.lines(a.paths)) do paths[i] = requests.get(line) end
	end
end

local function send(make, user, body, what)
	sent = sent + 1
	local id = "r" .. sent
	pending[id] = what
	return make(s.tokens[user], body, id)
end

local begun = false

function request()
	if not begun then -- wrk does not send the first request: it only looks at it
		begun = true
		return requests.get("/readyz")
	end
	if head < tail then
		local held = queue[head]
		queue[head], head = nil, head + 1
		held.kind = "book"
		return send(confirm, held.user, '{"seat_id":"' .. held.seat .. '"}', held)
	end
	turn = turn + 1
	if turn % (a.searches + 1) ~= 0 then return paths[math.random(#paths)] end
	local train, seat, user = s.next()
	if not train then
		requests.finish()
		repeated = repeated + 1
		return requests.get("/readyz")
	end
	used = s.number
	return send(lock, user, '{"train_id":"' .. train .. '","seat_number":' .. seat .. "}", {kind = "lock", user = user})
end

function response(status, headers, body)
	local id = headers["X-Request-Id"]
	local what = id and pending[id]
	if what then pending[id] = nil end
	if status ~= 200 then
		unexpected = unexpected + 1
		if unexpected == 1 then print("unexpected", status, what and what.kind or "search", body) end
		return
	end
	if not what then return end -- a search
	if what.kind == "lock" then
		what.seat = body:match('"seat_id":"([%x-]+)"')
		queue[tail], tail = what, tail + 1
	else
		sales = sales + 1
	end
	acks:write(what.kind, " ", what.user, " ", what.seat, " ", string.format("%.6f", requests.now()), "\n")
end
