"""Slips of the fingers in mail domains: what is noticed, and what is left alone (A-12)."""

from subscriptions.domain.mail_domains import _MEANT, _REAL, is_well_known, meant_by
from tests.support.cases import each

# as people have them, country by country, from what providers say of themselves; not made of our table
PEOPLE_HAVE = """
    hotmail.fi hotmail.dk hotmail.no hotmail.cz hotmail.sk hotmail.hu hotmail.gr hotmail.lv hotmail.lt hotmail.rs
    hotmail.ph hotmail.my hotmail.sg hotmail.cl hotmail.com.tr hotmail.com.ar hotmail.com.br hotmail.com.mx
    hotmail.com.au hotmail.com.hk hotmail.com.vn hotmail.co.jp hotmail.co.nz hotmail.co.za hotmail.co.il hotmail.co.in
    hotmail.co.th hotmail.co.id hotmail.co.kr outlook.dk outlook.ie outlook.pt outlook.cz outlook.hu outlook.gr
    outlook.lv outlook.sk outlook.in outlook.jp outlook.kr outlook.sa outlook.cl outlook.ph outlook.my outlook.sg
    outlook.ro outlook.bg outlook.com.ar outlook.com.au outlook.com.br outlook.com.tr outlook.com.vn outlook.com.gr
    outlook.com.pe outlook.com.es outlook.co.id outlook.co.il outlook.co.nz outlook.co.th yahoo.se yahoo.dk yahoo.no
    yahoo.nl yahoo.pl yahoo.ro yahoo.at yahoo.be yahoo.pt yahoo.hu yahoo.cz yahoo.gr yahoo.ie yahoo.fi yahoo.ne.jp
    yahoo.com.tr yahoo.com.sg yahoo.com.hk yahoo.com.tw yahoo.com.ph yahoo.com.my yahoo.com.vn yahoo.com.co
    yahoo.com.pe yahoo.com.ve yahoo.com.cn yahoo.co.id yahoo.co.th yahoo.co.kr yahoo.co.nz yahoo.co.za yahoo.cl
    ymail.com rocketmail.com live.ca live.se live.no live.dk live.fi live.ie live.be live.cl live.co.za live.com.au
    live.com.mx live.com.pt live.jp live.cn live.hk passport.com windowslive.com msn.com posteo.eu posteo.be
    posteo.us posteo.pl posteo.uk posteo.is posteo.jp t-online.hu protonmail.ch proton.ch pm.me tutanota.de tuta.io
    freenet.am gmx.it gmx.pt gmx.ie gmx.se gmx.ca gmx.ru gmx.tm mail.ee mail.bg mail.dk mail.gr mail.pt mail.ru
    mail.ch mail.at mail.fr mail.be mail.ua mail.kz mail.by orange.pl orange.sk orange.ro orange.be orange.lu orange.cm
    libero.eu tiscali.cz tiscali.be centrum.sk centrum.hu freemail.gr freemail.de fastmail.fm fastmail.net
    fastmail.co.uk fastmail.de fastmail.es fastmail.nl fastmail.us fastmail.se yandex.by yandex.kz yandex.ua
    yandex.com.tr zoho.eu zoho.in zohomail.eu zohomail.in inbox.lv inbox.lt inbox.eu interia.eu interia.com onet.eu
    wp.eu web.de bluemail.ch sunrise.ch bigpond.net.au optusnet.com.au xtra.co.nz rediffmail.com rediff.com terra.com
    terra.com.br terra.es uol.com.br bol.com.br globo.com qq.com 163.com 126.com sina.com sina.cn naver.com daum.net
    hanmail.net nate.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp nifty.com hinet.net walla.co.il aol.it aol.fr aol.es
    aol.se aol.in aol.com.ar aol.com.br telenet.be skynet.be planet.nl ziggo.nl xs4all.nl sapo.pt seznam.cz email.cz
    abv.bg siol.net otenet.gr comcast.net sbcglobal.net att.net cox.net bell.net rogers.com shaw.ca videotron.ca
""".split()


@each(
    ("typed", "meant"),
    [("gmial.com", "gmail.com"), ("gmai.com", "gmail.com"), ("gmaill.com", "gmail.com"), ("gnail.com", "gmail.com"),
     ("gmail.co", "gmail.com"), ("gmail.cm", "gmail.com"), ("gmail.con", "gmail.com"), ("gmail.comm", "gmail.com"),
     ("gmial.con", "gmail.com"), ("hotmial.com", "hotmail.com"), ("hotmial.de", "hotmail.de"),
     ("hotmial.fi", "hotmail.fi"), ("hotmail.con", "hotmail.com"), ("outlok.com", "outlook.com"),
     ("outlok.dk", "outlook.dk"), ("t-onlin.de", "t-online.de"), ("gmx.dee", "gmx.de"), ("gmx.met", "gmx.net"),
     ("web.dee", "web.de"), ("aol.cmo", "aol.com"), ("yahoo.co.ul", "yahoo.co.uk"), ("yahoo.cm.br", "yahoo.com.br"),
     ("yaho.com.ar", "yahoo.com.ar"), ("uni.example.con", "uni.example.com"), ("verein.ogr", "verein.org")],
)  # fmt: skip
def test_a_slip_is_noticed(typed: str, meant: str) -> None:
    assert meant_by(typed) == meant


@each(
    "domain",
    ["gmx.de", "gmx.net", "web.de", "mail.com", "email.com", "ymail.com", "hotmail.cz", "free.fr", "sfr.fr", "mail.ru",
     "example.org", "uni-koeln.de", "company.co", "mail.co", "posteo.net", "con", "xn--bcher-kva.example", "gnx.de"],
)  # fmt: skip
def test_what_may_well_be_meant_is_left_alone(domain: str) -> None:
    assert meant_by(domain) is None


@each("domain", PEOPLE_HAVE)
def test_nobody_at_a_real_provider_is_stopped(domain: str) -> None:
    assert meant_by(domain) is None


def test_these_are_many_and_no_two_the_same() -> None:
    assert len(set(PEOPLE_HAVE)) == len(PEOPLE_HAVE) > 200


@each("domain", sorted({*_MEANT, *_REAL}))
def test_no_domain_that_is_well_known_is_taken_for_another(domain: str) -> None:
    assert meant_by(domain) is None and is_well_known(domain)


def test_each_country_may_have_a_branch_of_a_known_name() -> None:
    """Whatever stands between: com.br, co.uk."""
    endings = ["fi", "dk", "se", "eu", "ch", "ie", "com.br", "com.pe", "co.uk", "co.ve", "com.de", "net.au", "ne.jp"]
    names = ["hotmail", "outlook", "yahoo", "posteo", "live", "gmx", "orange", "t-online", "yandex"]
    assert [f"{name}.{ending}" for name in names for ending in endings if meant_by(f"{name}.{ending}")] == []
